"""Stein variational negotiated reasoning: the paper, reproduced and explained."""

__version__ = "0.1.0"
