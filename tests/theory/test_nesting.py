import numpy as np
import pytest
from cases import joints
from hypothesis import given, settings
from hypothesis import strategies as st

from svnr.sets import (
    all_topologies,
    chain,
    check_sets,
    full,
    known_to,
    none,
    reverse,
    ring,
    sparse,
    star,
    strict,
)
from svnr.theory.nesting import (
    best_agreement,
    factorized,
    has_common_source,
    identification_dim,
    identification_matrix,
    is_nested,
    is_strictly_nested,
    joint_from_conditionals,
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
    from itertools import permutations

    n = len(sets)
    return any(
        all(set(order[k + 1 :]) <= sets[order[k]] for k in range(n))
        for order in permutations(range(n))
    )


@pytest.mark.parametrize("n", [2, 3])
def test_nestedness_is_the_printed_condition(n):
    assert all(is_nested(sets) == literal(sets) for sets in all_topologies(n))


def test_the_named_topologies():
    assert strict(3) == (frozenset(), frozenset({0}), frozenset({0, 1}))
    assert reverse(3) == (frozenset({1, 2}), frozenset({2}), frozenset())
    assert full(3)[1] == {0, 2} and none(3) == (frozenset(),) * 3
    assert star(3, centre=1) == (frozenset({1}), frozenset(), frozenset({1}))
    assert chain(3)[2] == {1} and ring(3)[0] == {2} and ring(1) == (frozenset(),)
    for n in (2, 3, 5):
        assert is_strictly_nested(strict(n)) and is_strictly_nested(reverse(n))
        assert is_nested(full(n)) and not is_nested(none(n))
        assert has_common_source(star(n)) and not has_common_source(none(n))
    assert not any(map(is_nested, (star(3), ring(3), chain(3))))
    assert nested_order(reverse(3)) == (2, 1, 0)
    assert known_to(strict(3), 2) == (0, 1, 2)


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(4)))
def test_strict_means_nested_in_any_order_of_the_agents(order):
    sets = tuple(frozenset(order[: order.index(i)]) for i in range(4))
    assert is_strictly_nested(sets) and is_nested(sets) and has_common_source(sets)
    assert nested_order(sets) == tuple(order)


@settings(max_examples=30, deadline=None)
@given(joints((2, 3, 2)))
def test_nested_agents_represent_every_joint_policy(joint):
    for sets in (strict(3), reverse(3), full(3)):
        assert np.allclose(joint_from_conditionals(joint, sets), joint)
    assert np.allclose(factorized(joint, none(3)).sum(), 1)


def test_a_product_joint_tells_nested_from_other_topologies():
    """Uniform on 2×2×2: its conditionals determine it exactly where the sets are nested."""
    uniform = np.full((2, 2, 2), 1 / 8)
    for sets in all_topologies(3):
        assert (identification_dim(uniform, sets) == 0) == is_nested(sets)


def test_some_topologies_that_are_not_nested_determine_a_generic_joint(rng):
    generic = rng.dirichlet(np.ones(8)).reshape(2, 2, 2)
    others = [s for s in all_topologies(3) if not is_nested(s)]
    assert sum(identification_dim(generic, sets) == 0 for sets in others) == 9


def test_without_full_support_full_sets_leave_the_mode_weights_open():
    joint = np.array([[0, 0.3], [0.7, 0]])
    assert identification_dim(joint, full(2)) == 1
    assert identification_dim(joint, strict(2)) == 0


@pytest.mark.parametrize(("alpha", "least"), [(1.0, 0.54), (0.3, 0.069), (0.1, 9e-5)])
def test_full_sets_are_ill_conditioned_at_low_temperature(alpha, least):
    weights = np.exp(np.array([[0, 1], [1, 0]]) / alpha)
    singular = np.linalg.svd(identification_matrix(weights / weights.sum(), full(2)))[1]
    assert singular[singular > 1e-12].min() == pytest.approx(least, rel=0.05)


def test_shared_noise_needs_a_common_source_and_no_more():
    """The best chance that three binary actions agree, each action undecided."""
    assert best_agreement(strict(3)) == best_agreement(star(3)) == 1.0
    assert best_agreement(ring(3)) == 0.5
    assert best_agreement(none(3)) == 0.25


@pytest.mark.parametrize(
    ("sets", "n", "message"),
    [
        (({1}, {5}), 2, r"sets\[1\] must name agents in 0\.\.1 only, got \{5\}"),
        (({0}, set()), 2, r"sets\[0\] must not contain agent 0"),
        ((set(),), 2, "sets must hold one set for each of 2 agents, got 1"),
    ],
)
def test_sets_that_make_no_sense_are_refused(sets, n, message):
    with pytest.raises(ValueError, match=message):
        check_sets(sets, n)


def test_what_needs_nested_sets_refuses_others():
    with pytest.raises(ValueError, match=r"sets must be nested as in Theorem A\.1"):
        joint_from_conditionals(np.full((2, 2), 0.25), none(2))
    with pytest.raises(ValueError, match="sets must not go round in a circle"):
        factorized(np.full((2, 2), 0.25), full(2))


def test_sparse_sets_repeat_by_seed_and_hear_their_share():
    assert sparse(6, seed=1) == sparse(6, seed=1) != sparse(6, seed=2)
    assert sparse(4, 0, share=0.0) == none(4) and sparse(4, 0, share=1.0) == full(4)
    links = sum(len(heard) for seed in range(50) for heard in sparse(8, seed, share=0.25))
    # 50 draws of 56 links: 700 expected, with a standard error of √(2800 · 0.25 · 0.75) = 23.
    assert abs(links - 700) < 4 * 23
    with pytest.raises(ValueError, match=r"share must be in \[0, 1\], got 2"):
        sparse(3, 0, share=2)
