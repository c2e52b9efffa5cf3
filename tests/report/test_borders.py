"""Which hill runs end at, and how far methods go."""

import numpy as np
import pandas as pd
import pytest

from svnr.experiments.catalogue import make_game
from svnr.experiments.runs import Run
from svnr.experiments.specs import run_spec
from svnr.report import borders

WAYS = ("shared", "independent", "greedy")
RIGHT, WRONG = (0.7, 0.7, -0.4), (-0.5, -0.5, 0.3)


def run(learner, seed=0, earned=9.5, game="max_of_three_1.5", visited=(RIGHT,), length=None):
    visited = np.array(visited, dtype=np.float16)
    table = {"return": np.zeros(length or len(visited)), "visited": visited}
    tested = {f"tested_{way}": np.full(4, earned) for way in WAYS}
    return Run(run_spec(game, learner, seed, length or len(visited)), table | tested)


def rows(*counts):
    """Rows as `ends` makes them: (learner, game, seeds that end right, seeds, alpha)."""
    parts = [
        {"learner": learner, "game": game, "seed": seed, "right": seed < right, "alpha": alpha}
        for learner, game, right, n, alpha in counts
        for seed in range(n)
    ]
    return pd.DataFrame(parts)


def test_the_higher_hill_comes_first_and_of_equal_ones_the_second():
    wide = borders.two_hills(make_game("max_of_5_2.0"))
    # Printed: h / s² is 1 / 4 at the right hill and 0.8 / 9 at the wrong one.
    assert wide.centers.tolist() == [[7, 7, -4, 7, 7], [-5, -5, 3, -5, -5]]
    assert wide.steepness == pytest.approx([0.25, 0.8 / 9]) and wide.worth.tolist() == [10, 0]
    narrow = borders.two_hills(make_game("two_modalities"))
    assert narrow.centers[0].tolist() == [7, 7, -3] and narrow.worth.tolist() == [10, 10]


def test_yardsticks_by_name():
    known = borders.yardsticks(["max_of_three_3.0", "max_of_2_2.0"])
    assert known["n_agents"].tolist() == [3, 2]
    assert known.loc["max_of_three_3.0", "alpha_c"] == np.inf
    assert (known["above"] < known["share"]).all()


def test_a_run_ends_right_if_it_earns_more_than_half_way():
    runs = [run("svnr", 0, 5.1), run("svnr", 1, 4.9), run("maddpg", 0, 9.0, "climbing")]
    table = borders.ends(runs)
    assert table["right"].tolist() == [True, False, False]
    assert table["earned"].tolist() == pytest.approx([5.1, 4.9, 9.0])
    # Three phases: 0.3 from half of the run on; MADDPG has no temperature.
    long = borders.ends([run("svnr", length=10)])
    assert long["alpha"].tolist() == [0.3] and np.isnan(table["alpha"].iloc[2])


def test_methods_come_in_the_order_of_how_far_they_go_and_soft_ones_first():
    cells = borders.reach(
        rows(
            ("maddpg", "a", 5, 5, np.nan),
            ("pr2", "a", 1, 5, 0.3),
            ("svnr", "a", 3, 5, 0.3),
            ("svnr", "b", 1, 4, 0.3),
        )
    )
    assert cells["learner"].tolist() == ["svnr", "svnr", "pr2", "maddpg"]
    assert cells["right"].tolist() == [3, 1, 1, 5] and cells["n"].tolist() == [5, 4, 5, 5]


def test_a_border_is_the_last_game_without_a_gap_before_it():
    cells = borders.reach(
        rows(
            ("svnr", "a", 5, 5, 0.3),
            ("svnr", "b", 2, 5, 0.3),  # no more than half: here it stops
            ("svnr", "c", 5, 5, 0.3),
            ("masql", "a", 3, 5, 0.3),
            ("masql", "b", 3, 5, 0.3),  # and is not there for c
            ("pr2", "a", 2, 4, 0.3),  # half is not most
        )
    )
    assert borders.borders(cells, "abc").to_dict() == {"svnr": 1, "masql": 2, "pr2": 0}
    assert borders.borders(cells, "c").to_dict() == {"svnr": 1, "masql": 0, "pr2": 0}


def test_sides_are_running_shares_of_the_episodes():
    taken = borders.sides([run("svnr", visited=[WRONG, RIGHT, RIGHT, WRONG])], window=2, every=2)
    # Of episodes 0 and 1 half, of 2 and 3 half; windows that are not full are left out.
    assert taken["episode"].tolist() == [1, 3] and taken["share"].tolist() == [0.5, 0.5]
    both = borders.sides([run("svnr", visited=[WRONG, RIGHT, RIGHT])], window=2, every=1)
    assert both["share"].tolist() == [0.5, 1.0]


def test_exact_sides_follow_the_runs_temperatures():
    long = run("svnr", length=6000, visited=[RIGHT] * 6000)
    followed = borders.exact_sides(long).iloc[::125]
    # The printed 10 for a third of the run, α′ / 10 until half, then 0.3.
    assert followed["episode"].tolist() == [0, 1250, 2500, 3750, 5000]
    assert followed["alpha"].tolist()[1:] == pytest.approx([10, 1, 0.3, 0.3])
    assert followed["share"].iloc[1] == pytest.approx(0.2687, abs=1e-3)
    assert followed["share"].iloc[3] == pytest.approx(1)
