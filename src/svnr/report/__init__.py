"""What is shown: style, figures, tables and where each came from."""
