from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svnr.sets import (
    TOPOLOGIES,
    all_topologies,
    chain,
    check_edges,
    check_sets,
    full,
    known_to,
    knows,
    named,
    none,
    partners,
    reverse,
    ring,
    sparse,
    star,
    strict,
    strongest,
    window,
    written_out,
)


def test_the_named_topologies():
    assert strict(3) == (frozenset(), frozenset({0}), frozenset({0, 1}))
    assert reverse(3) == (frozenset({1, 2}), frozenset({2}), frozenset())
    assert full(3)[1] == {0, 2} and none(3) == (frozenset(),) * 3
    assert star(3) == (frozenset(), frozenset({0}), frozenset({0}))
    assert chain(3) == (frozenset(), frozenset({0}), frozenset({1}))
    assert ring(3) == (frozenset({2}), frozenset({0}), frozenset({1}))
    assert ring(1) == (frozenset(),)
    assert known_to(strict(3), 2) == (0, 1, 2) and known_to(none(3), 1) == (1,)
    assert knows(chain(3)).tolist() == [[1, 0, 0], [1, 1, 0], [0, 1, 1]]


def test_every_topology_comes_once():
    every = list(all_topologies(3))
    assert len(every) == len(set(every)) == 2**6
    assert all(make(3) in every for make in TOPOLOGIES.values())
    assert list(all_topologies(1)) == [(frozenset(),)]


def test_sparse_sets_repeat_by_seed_and_hear_half():
    assert sparse(6, seed=1) == sparse(6, seed=1) != sparse(6, seed=2)
    links = sum(len(heard) for seed in range(50) for heard in sparse(8, seed))
    # 50 draws of 56 links: 1400 expected, with a standard error of √(2800 · 0.5 · 0.5) = 26.
    assert abs(links - 1400) < 4 * 26
    assert all(i not in heard for i, heard in enumerate(sparse(8, 0)))


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TOPOLOGIES)
@pytest.mark.parametrize("n", [1, 2, 3, np.int64(4)])
def test_equal_sets_have_one_name_however_they_are_spelt(name, n):
    written = written_out(name, n)
    spellings = [
        name,
        written,
        [list(members) for members in written],
        [np.array(sorted(members), dtype=int) for members in written],
    ]
    names = {named(sets, n) for sets in spellings}
    assert len(names) == 1 and written_out(names.pop(), n) == written
    if n > 3:
        assert named(written, n) == name


def test_with_few_agents_several_names_mean_the_same():
    # Two agents: chain, star and strict are all ({}, {1}); one agent: everything is ({},).
    assert named("chain", 2) == named("star", 2) == named("strict", 2) == "strict"
    assert {named(name, 1) for name in TOPOLOGIES} == {"strict"}


def test_sets_without_a_name_are_written_out():
    assert named([[1], [0, 2], []], 3) == (frozenset({1}), frozenset({0, 2}), frozenset())


# --- edges ---------------------------------------------------------------------------------------


def test_windows_by_hand():
    assert window(4, 2) == (frozenset(), frozenset({0}), frozenset({0, 1}), frozenset({1, 2}))
    assert window(5, 1) == chain(5) and window(5, 4) == strict(5) and window(5, 0) == none(5)


def test_partners_share_an_edge():
    # 2 – 0 – 1, and agent 3 alone.
    expected = ({1, 2}, {0}, {0}, set())
    assert partners(4, [(0, 1), (2, 0)]) == tuple(map(frozenset, expected))
    assert partners(3, [(0, 1), (1, 2), (0, 2)]) == full(3) and partners(2, []) == none(2)


def test_the_strongest_pairs_by_hand():
    # In order 9 (0, 3), 8 (1, 2), 7 (0, 1), then 0.7, 0.5 and 0.1: the largest ratio is 7 / 0.7.
    strength = np.array([[5, 7, 0.7, 9], [7, 5, 8, 0.5], [0.7, 8, 5, 0.1], [9, 0.5, 0.1, 5]])
    assert strongest(strength, 2) == ((0, 3), (1, 2))
    assert strongest(strength) == ((0, 1), (0, 3), (1, 2))
    # 0.5 / 0.1 = 5 is no fall if 0.1 is made 1e-9: it lies beyond the first half of six pairs.
    strength[2, 3] = strength[3, 2] = 1e-9
    assert strongest(strength) == ((0, 1), (0, 3), (1, 2))


def test_where_nobody_acts_on_anybody_there_is_no_edge():
    assert strongest(np.zeros((4, 4))) == () and strongest([[0, 3], [3, 0]]) == ((0, 1),)


@given(n=st.integers(2, 9), seed=st.integers(0, 2**31), scale=st.floats(1e-3, 1e3))
def test_a_graph_that_stands_out_is_found_whatever_the_units(n, seed, scale):
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)[: n // 2 + 1]
    edges = check_edges(n, pairwise(order))
    strength = rng.uniform(0.5, 1.0, (n, n))
    for i, j in edges:
        strength[i, j] = strength[j, i] = rng.uniform(10, 15)
    assert strongest(scale * np.triu(strength, 1)) == edges
    heard = partners(n, edges)
    assert all((j in heard[i]) == (i in heard[j]) for i in range(n) for j in range(n))


# --- bad input -----------------------------------------------------------------------------------


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


@pytest.mark.parametrize("make", [*TOPOLOGIES.values(), all_topologies, lambda n: sparse(n, 0)])
@pytest.mark.parametrize("n", [-1, 0, 2.0, True, "three"])
def test_the_number_of_agents_is_a_whole_number_of_at_least_one(make, n):
    with pytest.raises(ValueError, match=rf"n must be a whole number of at least 1, got {n!r}"):
        make(n)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: known_to(strict(3), 3), r"agent must be a whole number in \[0, 2\], got 3"),
        (lambda: known_to(strict(3), -1), r"agent must be a whole number in \[0, 2\], got -1"),
        (lambda: sparse(3, -1), r"seed must be a whole number in \[0, inf\], got -1"),
        (lambda: named("strickt", 3), r"sets must be one of strict, .* mean 'strict'\?"),
        (lambda: named([[], [0]], 3), "sets must hold one set for each of 3 agents, got 2"),
        (lambda: window(3, -1), "k must be a whole number of at least 0, got -1"),
        (lambda: partners(3, [(0, 3)]), r"edges must join two of the agents 0..2, got \(0, 3\)"),
        (lambda: check_edges(3, [(0, 0)]), r"edges must join two of .* got \(0, 0\)"),
        (lambda: check_edges(3, [(0, 1, 2)]), r"edges must join two of .* got \(0, 1, 2\)"),
        (lambda: check_sets([]), "sets must hold one set for each of 0 agents, got 0"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("sets", [5, [1, 2], None, {0: []}])
def test_what_is_no_row_of_collections_is_refused(sets):
    with pytest.raises(ValueError, match="sets must hold a collection of agents for each agent"):
        check_sets(sets, 2)


def test_agents_are_whole_numbers_however_they_are_spelt():
    assert str(check_sets([[], [np.int64(0)], [False]])) == str(check_sets([[], [0], [0]]))
    with pytest.raises(ValueError, match="sets must hold whole numbers"):
        check_sets([[], [0.0]])
    with pytest.raises(ValueError, match="edges must hold whole numbers"):
        check_edges(3, [(0.9, 1.2)])
