import numpy as np
import optuna

from svnr.experiments.evaluate import WAYS
from svnr.experiments.runs import Run
from svnr.experiments.specs import run_spec
from svnr.report import searches


def small_study():
    """Three trials: the learner's own settings, a better one, and one stopped after a seed."""
    study = optuna.create_study(direction="maximize")
    space = {"learning_rate": optuna.distributions.FloatDistribution(0, 1)}
    complete, pruned = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED
    for rate, state, seeds in (
        (0.1, complete, [1.0, 2.0]),
        (0.2, complete, [4.0, 5.0]),
        (0.3, pruned, [9.0]),
    ):
        study.add_trial(
            optuna.trial.create_trial(
                state=state,
                params={"learning_rate": rate},
                distributions=space,
                value=seeds[-1],
                intermediate_values=dict(enumerate(seeds)),
            )
        )
    return study


def test_a_search_is_told_by_its_own_settings_and_its_best_whole_trial():
    row = searches.found({"svnr": small_study()}, "max_of_three_1.5").loc["SVNR"]
    assert (row["trials"], row["on one seed only"]) == (3, 1)
    assert (row["own settings"], row["best"]) == (2.0, 5.0)  # 9 was reached on one seed only
    assert row["best settings"] == "learning_rate 0.2"


def test_the_best_so_far_counts_whole_trials():
    history = searches.history({"svnr": small_study()})
    assert history["score"].tolist() == [2.0, 5.0, 9.0]
    assert history["best"].tolist() == [2.0, 5.0, 5.0]


def test_ranges_are_told_setting_by_setting():
    table = searches.ranges(["svnr", "maddpg"], "max_of_three_1.5")
    assert table.loc["SVNR", "learning_rate"] == "0.0001 to 0.1 (log)"
    assert table.loc["MADDPG", "n_particles"] == "–"


def test_seeds_at_the_optimum_stand_side_by_side_as_set_and_as_tuned():
    def run(seed, earned):
        tested = {f"tested_{way}": np.full(4, earned) for way in WAYS}
        return Run(run_spec("max_of_three_1.5", "svnr", seed, 1), {"return": np.ones(1)} | tested)

    both = searches.protocols([run(0, 5.1), run(1, 5.0)], [run(0, 9.0)])
    assert both.loc["SVNR"].to_dict() == {
        "as set, Max of Three, s₂ = 1.5": "1 of 2",
        "as tuned, Max of Three, s₂ = 1.5": "1 of 1",
    }
