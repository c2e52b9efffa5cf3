"""How particles move: kernels, Stein variational gradient descent, negotiation."""
