"""How it is rebuilt: notebooks from their sources, and the plan of a reproduction."""
