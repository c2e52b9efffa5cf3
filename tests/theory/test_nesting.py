import itertools

import numpy as np
import pytest
from cases import FIGURE_1B, PARITY, conditional, joints
from hypothesis import given, settings
from hypothesis import strategies as st

from svnr.sets import all_topologies, chain, full, known_to, none, reverse, ring, star, strict
from svnr.theory.distributions import product
from svnr.theory.maxent import boltzmann
from svnr.theory.nesting import (
    has_common_source,
    identification_dim,
    is_nested,
    is_strictly_nested,
    nested_order,
)


@pytest.mark.parametrize(
    ("n", "nested", "strictly", "common"), [(2, 3, 2, 3), (3, 25, 6, 37), (4, 543, 24, 1695)]
)
def test_how_many_topologies_are_what(n, nested, strictly, common):
    """The numbers of labelled acyclic digraphs, of orders, and of topologies with one source."""
    every = list(all_topologies(n))
    assert len(every) == 2 ** (n * (n - 1))
    assert sum(map(is_nested, every)) == nested
    assert sum(map(is_strictly_nested, every)) == strictly
    assert sum(map(has_common_source, every)) == common


def literal(sets):
    """Theorem A.1 word for word: some order in which the earlier knows all the later."""
    n = len(sets)
    return any(
        all(set(order[k + 1 :]) <= sets[order[k]] for k in range(n))
        for order in itertools.permutations(range(n))
    )


@pytest.mark.parametrize("n", [2, 3])
def test_nestedness_is_the_printed_condition(n):
    assert all(is_nested(sets) == literal(sets) for sets in all_topologies(n))


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(4)))
def test_strict_means_nested_in_any_order_of_the_agents(order):
    sets = tuple(frozenset(order[: order.index(i)]) for i in range(4))
    assert is_strictly_nested(sets) and is_nested(sets) and has_common_source(sets)
    assert nested_order(sets) == tuple(order)


@pytest.mark.parametrize(
    ("topology", "nested", "strictly", "common"),
    [
        (strict, True, True, True),
        (reverse, True, True, True),
        (full, True, False, True),
        (star, False, False, True),
        (chain, False, False, False),
        (ring, False, False, False),
        (none, False, False, False),
    ],
)
@pytest.mark.parametrize("n", [3, 5])
def test_what_the_named_topologies_are(n, topology, nested, strictly, common):
    sets = topology(n)
    assert is_nested(sets) == nested and is_strictly_nested(sets) == strictly
    assert has_common_source(sets) == common


@settings(max_examples=30, deadline=None)
@given(joints((2, 3, 2)))
def test_nested_agents_represent_every_joint_policy(joint):
    """The "if" of Theorem A.1: along a nested order everybody knows whom the chain rule needs."""
    for sets in (strict(3), reverse(3), full(3)):
        order, built = nested_order(sets), np.ones(())
        for k, agent in enumerate(order):
            assert sets[agent] >= set(order[:k])
            built = built * conditional(joint, agent, order[:k])
        assert np.allclose(built, joint)


def test_a_product_joint_tells_nested_from_other_topologies():
    """Uniform on 2×2×2: its conditionals determine it exactly where the sets are nested."""
    uniform = np.full((2, 2, 2), 1 / 8)
    for sets in all_topologies(3):
        assert (identification_dim(uniform, sets) == 0) == is_nested(sets)


def test_some_topologies_that_are_not_nested_determine_a_generic_joint(rng):
    generic = rng.dirichlet(np.ones(8)).reshape(2, 2, 2)
    others = [s for s in all_topologies(3) if not is_nested(s)]
    assert sum(identification_dim(generic, sets) == 0 for sets in others) == 9


@pytest.mark.parametrize("alpha", [1.0, 0.1, 0.03, 0.01, 0.003])
def test_nested_sets_determine_the_optimum_at_every_temperature(rng, alpha):
    """π* is positive, however rare its rarest action: 1e-148 on Figure 1b at the lowest here."""
    for sets in (strict(2), reverse(2), full(2)):
        assert identification_dim(boltzmann(FIGURE_1B, alpha), sets) == 0
    q = rng.uniform(size=(2, 2, 2))
    for sets in filter(is_nested, all_topologies(3)):
        assert identification_dim(boltzmann(q, alpha), sets) == 0


@pytest.mark.parametrize("alpha", [1.0, 0.1, 0.02])
def test_other_sets_leave_a_product_open_at_every_temperature(rng, alpha):
    own = [boltzmann(rng.normal(size=2), alpha) for _ in range(3)]
    for sets in all_topologies(3):
        assert (identification_dim(product(own), sets) == 0) == is_nested(sets)


def test_empty_sets_leave_everything_but_the_marginals_open(rng):
    # Of 2·3·2 − 1 = 11 dimensions of a joint the marginals fix 1 + 2 + 1.
    for joint in (rng.dirichlet(np.ones(12)), np.full(12, 1 / 12)):
        assert identification_dim(joint.reshape(2, 3, 2), none(3)) == 7


def test_without_full_support_full_sets_leave_the_mode_weights_open():
    joint = np.array([[0, 0.3], [0.7, 0]])
    assert identification_dim(joint, full(2)) == 1
    assert identification_dim(joint, strict(2)) == 0


def test_no_probability_is_negative():
    """Ring sets fix every pair's law. π + t · (−1)^{u_1+u_2+u_3} keeps them all, for any t.

    If π is uniform on the six joint actions that are not all equal, (0, 0, 0) would get t and
    (1, 1, 1) −t, so t = 0 and nothing is open. If it is uniform on an even number of ones, t may
    go from −¼ to 0.
    """
    unequal = np.full((2, 2, 2), 1 / 6)
    unequal[0, 0, 0] = unequal[1, 1, 1] = 0
    assert identification_dim(unequal, ring(3)) == 0
    assert identification_dim(PARITY / 4, ring(3)) == 1


def test_actions_that_nobody_takes_are_open_where_no_conditional_speaks_of_them():
    """All at (0, 0): nobody knows what follows on 1, so (1, 1) may have any weight with full
    sets, while (0, 1) and (1, 0) are ruled out; strict sets fix agent 1 and all after it."""
    corner = np.array([[1.0, 0], [0, 0]])
    assert identification_dim(corner, full(2)) == 1
    assert identification_dim(corner, strict(2)) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joint": np.full((2, 2), 0.3)}, "joint must sum to 1"),
        ({"sets": full(3)}, "one set for each of 2 agents, got 3"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, message):
    arguments = {"joint": np.full((2, 2), 0.25), "sets": full(2)} | changes
    with pytest.raises(ValueError, match=message):
        identification_dim(**arguments)


# --- noise instead of actions ----------------------------------------------------------------


def best_agreement(sets, levels=2, between=(0.4, 0.6)):
    """The best P(u_1 = … = u_N) when binary actions read discrete noise, as (7.1) does.

    Tries every rule u_i = f_i(ξ_i, ξ_{C_i}), the ξ independent and uniform on a few levels, that
    leaves the common action undecided.
    """
    noise = np.array(list(itertools.product(range(levels), repeat=len(sets))))
    rules = [undecided_rules(noise[:, known_to(sets, i)], between) for i in range(len(sets))]
    all_one, all_zero = rules[0], ~rules[0]
    for more in rules[1:]:
        all_one = (all_one[:, None] & more).reshape(-1, len(noise))
        all_zero = (all_zero[:, None] & ~more).reshape(-1, len(noise))
    return (all_one | all_zero).mean(axis=1).max()


def undecided_rules(seen, between):
    """Every binary function [rules, X] of what is seen [X, |S_i|], its mean within bounds."""
    values, which = np.unique(seen, axis=0, return_inverse=True)
    rules = np.array(list(itertools.product([False, True], repeat=len(values))))[:, which.ravel()]
    mean = rules.mean(axis=1)
    return rules[(mean >= between[0]) & (mean <= between[1])]


def test_shared_noise_needs_a_common_source_and_no_more():
    """The best chance that three binary actions agree is 1 exactly with a common source."""
    assert best_agreement(strict(3)) == best_agreement(star(3)) == 1.0
    assert best_agreement(ring(3)) == 0.5
    assert best_agreement(none(3)) == 0.25
