"""Payoffs and random cases that the tests of `theory` share."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

FIGURE_1A = np.array([[1.0, -2], [0, 0]])
FIGURE_1B = np.array([[0.0, 1], [1, 0]])
CLIMBING = np.array([[11.0, -30, 0], [-30, 7, 6], [0, 0, 5]])
PENALTY = np.array([[10.0, 0, -100], [0, 2, 0], [-100, 0, 10]])
QTRAN = np.array([[8.0, -12, -12], [-12, 0, 0], [-12, 0, 0]])
STAG_HUNT = np.array([[10.0, -10], [-10, 5]])
SHAPES = [(2, 2), (2, 3), (2, 2, 2)]  # of small games
_ONES = np.indices((2, 2, 2)).sum(0)
ONE_VOLUNTEER = (_ONES == 1).astype(float)
PARITY = (_ONES % 2 == 0).astype(float)


def payoffs(max_agents=3, max_actions=3):
    """Random payoffs of 2 or 3 agents with different numbers of actions."""
    shapes = st.lists(st.integers(2, max_actions), min_size=2, max_size=max_agents).map(tuple)
    values = st.floats(-5, 5, allow_nan=False)
    return shapes.flatmap(lambda shape: arrays.arrays(float, shape, elements=values))


def joints(shape):
    """Random positive joint policies of a shape."""
    weights = arrays.arrays(float, shape, elements=st.floats(0.05, 1))
    return weights.map(lambda w: w / w.sum())


def conditional(joint, agent, given):
    """joint(u_i | u_C) in the axes of the joint, plainly: what log space is held against."""
    rest = tuple(j for j in range(joint.ndim) if j not in {agent, *given})
    together = joint.sum(axis=rest, keepdims=True)
    return together / together.sum(axis=agent, keepdims=True)
