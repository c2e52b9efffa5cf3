import math

import numpy as np
import pandas as pd
import pytest

from svnr.experiments.runs import Run
from svnr.experiments.specs import run_spec
from svnr.report import tables
from svnr.report.statistics import verdicts

GATHER = "particle_gather"


def run(seed, reward, tested=9.6, learner="svnr", game="max_of_three_1.5"):
    reward = np.asarray(reward, dtype=np.float32)
    ways = {f"tested_{way}": np.full(4, tested) for way in ("shared", "independent", "greedy")}
    visited = np.tile(np.array([0.1, 0.2, 0.3], dtype=np.float16), (len(reward), 1))
    table = {"return": reward, "visited": visited, "perceived": np.zeros((3, 4, 3))}
    spec = run_spec(game, learner, seed, len(reward))
    return Run(spec, {**table, **ways, "length": np.ones(len(reward), dtype=int)})


def test_curves_are_running_means_of_every_nth_step():
    table = tables.curves([run(3, [0, 2, 4, 6])], window=2, every=2)
    # Means of (0) and of (2, 4).
    assert table["reward"].tolist() == [0.0, 3.0]
    assert table["episode"].tolist() == [0, 2]
    assert set(table["seed"]) == {3}


def test_visits_are_in_the_games_units():
    table = tables.visits([run(0, range(10))], half_width=10, first=1, last=7, every=3)
    assert table["episode"].tolist() == [1, 4, 7]
    assert np.allclose(table[["u_1", "u_2", "u_3"]].iloc[0], [1, 2, 3], atol=1e-2)
    assert table["reward"].tolist() == [1, 4, 7]


def test_table_1_puts_ours_beside_the_papers():
    runs = [run(0, [1, 2], 9.6), run(1, [1, 2], 9.8)]
    table = tables.beside_paper(tables.scores(runs))
    row = table.loc[("SVNR", "Max of Three, s₂ = 1.5")]
    assert row["paper"] == "9.71 ± 0.20"
    assert row["ours"] == "9.70 ± 0.10"
    assert row["seeds"] == 2 and row["verdict"] == "reproduced"
    assert (row["theirs ended"], row["ours at the optimum"]) == ("optimum", "2 of 2")
    assert row["ended alike"] == "yes"


def test_a_verdict_does_not_hide_where_a_method_ended():
    # ROMMEO at s₂ = 2 has 1.59 ± 5.03 in the paper. Seeds at 9.5 and 1 have a mean of 5.25, which
    # is "reproduced", with one of them at the hill where the paper's mean is on the trap's side.
    runs = [
        run(0, [1], 9.5, "rommeo", "max_of_three_2.0"),
        run(1, [1], 1.0, "rommeo", "max_of_three_2.0"),
    ]
    row = tables.beside_paper(tables.scores(runs)).iloc[0]
    assert row["verdict"] == "reproduced"
    assert (row["theirs ended"], row["ours at the optimum"]) == ("trap", "1 of 2")
    assert row["ended alike"] == "yes"  # one of two is not most
    most = tables.beside_paper(tables.scores([runs[0]])).iloc[0]
    assert (most["ours at the optimum"], most["ended alike"]) == ("1 of 1", "no")


@pytest.mark.parametrize(
    ("game", "half"),
    [
        ("max_of_three_1.5", 5),  # hills of 0 and 10
        ("max_of_three_2.0_lured", 5),
        ("climbing", 9),  # choices of 7 and 11
        ("penalty_-10", 6),  # 2 and twice 10
        ("particle_gather", 2.5),  # to stay away pays 0
        ("two_modalities", -math.inf),  # both hills are right
    ],
)
def test_half_way_from_the_second_best_to_the_best(game, half):
    assert tables.half_way(game) == half


def test_the_way_of_execution_that_is_asked_for_stands_beside_another_table_of_the_papers():
    """Greedy runs earn 5, 5, 7, 9, 9, the first within 1, the others all alike."""
    runs = [run(seed, [1]) for seed in range(5)]
    greedy = [[4.0, 6.0], [5.0, 5.0], [7.0, 7.0], [9.0, 9.0], [9.0, 9.0]]
    for each, earned in zip(runs, greedy, strict=True):
        each.table["tested_greedy"] = np.array(earned)
    later = {("svnr", "max_of_three_1.5"): (8.0, 1.0)}
    row = tables.beside_paper(tables.scores(runs), "greedy", later, digits=1).iloc[0]
    assert (row["paper"], row["ours"]) == ("8.0 ± 1.0", "7.0 ± 1.8")
    assert row["spread within a run"] == "0.2"
    assert row["interquartile mean [95 %]"].startswith("7.0 [5.0, 9.0")
    shared = tables.beside_paper(tables.scores(runs)).iloc[0]
    assert shared["spread within a run"] == "0.00"


def test_the_tests_of_runs_stand_against_steps_and_minutes_of_training():
    several = run(2, [1])
    several.table["test_at"] = np.array([100, 200])
    for k, way in enumerate(("shared", "independent", "greedy")):
        several.table[f"test_{way}"] = np.array([[1.0, 3.0], [5.0, 7.0]]) + 10 * k
    several.made["processor_seconds_until_test"] = [30.0, 90.0]
    table = tables.tests([several])
    assert table[["at", "minutes", "shared", "independent", "greedy"]].to_numpy().tolist() == [
        [100, 0.5, 2, 12, 22],
        [200, 1.5, 6, 16, 26],
    ]
    assert set(table["seed"]) == {2}


def test_successes_count_seeds():
    runs = [run(0, [9.5] * 4), run(1, [0.0] * 4), run(2, [9.41] * 4)]
    table = tables.successes(tables.scores(runs), "training", 9.4)
    assert table.loc["SVNR", "Max of Three, s₂ = 1.5"] == "2 of 3"


def test_seeds_at_the_optimum_are_those_above_half_way():
    runs = [run(0, [9]), run(1, [9], 5.0), run(2, [9], 5.1), run(0, [9], 2.6, "pr2", game=GATHER)]
    table = tables.at_optimum(tables.scores(runs))
    cells = [("svnr", "max_of_three_1.5"), ("pr2", GATHER)]
    assert table.loc[cells].to_numpy().tolist() == [[2, 3, True, False], [1, 1, True, True]]


def test_methods_that_the_paper_does_not_list_are_left_out():
    rows = tables.scores([run(0, [1], learner="svnr"), run(0, [1], learner="svnr_m")])
    assert isinstance(rows, pd.DataFrame)
    assert list(tables.beside_paper(rows).index.get_level_values("method")) == ["SVNR"]


def test_the_first_step_to_reach_a_level_is_the_median_over_seeds_that_do():
    # Means of two steps reach 4 at step 2 (of 0, 3, 5) and at step 1 (of 4, 4); never for zeros.
    runs = [run(0, [0, 3, 5]), run(1, [4, 4, 4]), run(2, [0, 0, 0])]
    table = tables.first_reached(runs, level=4, window=2)
    assert table.to_numpy().tolist() == [["2 (2 of 3)"]]
    never = tables.first_reached(runs[2:], level=4, window=2)
    assert never.to_numpy().tolist() == [["never (0 of 1)"]]


def test_a_team_at_the_trap_over_generalizes_in_what_it_perceives_only():
    trapped = run(0, [0.0])
    trapped.table["perceived"] = np.tile([-0.5, -0.5, 0.3], (3, 50, 1))
    row = tables.over_generalization([trapped]).iloc[0]
    # One cell of 15 × 15 where π* at α = 1 has next to nothing: at least 10 nats.
    assert row["PRO gap"] > 10
    assert abs(row["ERO gap"]) < 0.02


def test_a_run_keeps_both_modes_if_its_share_of_the_second_is_near_the_exact_one():
    # The peaks are at (−5, −5, 3) and (7, 7, −3); one sample of four is at the second.
    first, second = (-0.5, -0.5, 0.3), (0.7, 0.7, -0.3)
    perceived = np.array([[first, first, first, second]] * 3)
    several = run(0, [0.0], game="two_modalities")
    several.table["perceived"] = perceived
    assert tables.modes([several], exact=0.3)[["mass", "kept"]].to_numpy().tolist() == [
        [0.25, True]
    ]
    assert not tables.modes([several], exact=0.4)["kept"].any()


def test_agents_that_err_on_opposite_sides_keep_both_modes_in_the_mean_alone():
    # Shares of 1/4, 1/2 and 0 at the second peak: their mean is 1/4.
    first, second = (-0.5, -0.5, 0.3), (0.7, 0.7, -0.3)
    apart = run(0, [0.0], game="two_modalities")
    shares = [[second, first, first, first], [second, second, first, first], [first] * 4]
    apart.table["perceived"] = np.array(shares)
    alike = run(1, [0.0], game="two_modalities")
    alike.table["perceived"] = np.array(shares[:1] * 3)
    table = tables.modes([apart, alike], exact=0.25)
    assert table["kept"].tolist() == [True, True]
    assert table["by each"].tolist() == [False, True]


def test_one_outperforms_another_if_their_intervals_do_not_touch():
    runs = [run(s, [1], 9.0 + 0.1 * s) for s in range(5)]
    runs += [run(s, [1], 1.0 + 0.1 * s, "svnr_m") for s in range(5)]
    table = tables.scores(runs)
    assert tables.outperforms(table, "svnr", "svnr_m", "max_of_three_1.5")
    assert not tables.outperforms(table, "svnr_m", "svnr", "max_of_three_1.5")
    assert not tables.outperforms(table, "svnr", "svnr", "max_of_three_1.5")
    nobody = pd.DataFrame(columns=["game", "learner", "shared"])
    for rows in (table, nobody):
        assert not tables.outperforms(rows, "svnr", "masql", "max_of_three_1.5")  # there is none


def test_nobody_with_two_seeds_outperforms_anybody_or_has_an_interval():
    runs = [run(s, [1], 9.0) for s in range(5)] + [run(s, [1], 1.0, "maddpg") for s in range(2)]
    table = tables.scores(runs)
    assert not tables.outperforms(table, "svnr", "maddpg", "max_of_three_1.5")
    beside = tables.beside_paper(table)["interquartile mean [95 %]"].droplevel("game")
    assert beside.to_dict() == {"SVNR": "9.00 [9.00, 9.00]", "MADDPG": "–"}


def test_of_no_runs_there_is_nothing_beside_the_paper():
    """A notebook that shows some methods asks for the cells of one that it does not show."""
    rows = tables.scores([run(0, [1, 2])])
    beside = tables.beside_paper(rows[rows["learner"] == "mappo"])
    assert beside.empty and verdicts(beside) == "with 5 seeds or more: none; with fewer: none"


def test_a_joint_action_is_at_a_peak_within_its_radius():
    rows = pd.DataFrame({"u_1": [7.0, 7.0], "u_2": [7.0, 4.0], "u_3": [-4.0, -6.0]})
    # Distances 0 and √(9 + 4) = 3.6.
    near = tables.at_peaks(rows, {"right": (7, 7, -4)}, radius=3.5)
    assert near["right"].tolist() == [True, False]
    assert tables.at_peaks(rows, {"right": (7, 7, -4)}, radius=3.7)["right"].all()
