import optuna
import pytest

from svnr.experiments import tune as tuning
from svnr.experiments.catalogue import LEARNERS, resolved
from svnr.experiments.studies import StudySpec
from svnr.experiments.tune import finished_trials, open_study, score, tune
from svnr.report.tables import trials


def spec(**changes):
    given = {"game": "max_of_three_1.5", "learner": "hysteretic", "n_trials": 3, "n_episodes": 15}
    return StudySpec(**(given | changes))


@pytest.mark.parametrize("learner", ["hysteretic", "mappo"])
def test_a_study_begins_with_the_learners_own_settings_and_goes_on_where_it_stopped(
    tmp_path, learner
):
    first = tune(spec(learner=learner, n_trials=1), tmp_path)
    own = resolved(learner, "max_of_three_1.5", {})
    assert first.trials[0].params == {
        name: getattr(own, name) for name in LEARNERS[learner].ranges
    }
    three = spec(learner=learner, n_trials=3)
    again = tune(three, tmp_path)
    assert [trial.params for trial in again.trials][:1] == [first.trials[0].params]
    assert len(finished_trials(again)) == 3
    assert len(finished_trials(tune(three, tmp_path))) == 3  # nothing is paid twice


def test_a_killed_trial_counts_for_nothing_and_its_finished_runs_are_read(tmp_path, monkeypatch):
    study = open_study(spec(), tmp_path)
    trial = study.ask()
    score(trial, spec(), tmp_path)  # both runs are done, but the trial never says so
    assert not finished_trials(open_study(spec(), tmp_path))
    files = sorted((tmp_path / "runs").rglob("*.npz"))
    assert len(files) == 2

    study.enqueue_trial(trial.params)
    monkeypatch.setattr(
        "svnr.experiments.store._perform", lambda spec, folder: pytest.fail("run again")
    )
    study.optimize(lambda each: score(each, spec(), tmp_path), n_trials=1)
    assert len(finished_trials(study)) == 1


def test_two_processes_share_a_study(tmp_path):
    study = tune(spec(n_trials=4), tmp_path, n_jobs=2)
    assert 4 <= len(finished_trials(study)) <= 5  # both may begin the last one


def test_a_trial_that_begins_below_the_median_is_not_run_on_other_seeds(tmp_path, monkeypatch):
    study = open_study(spec(), tmp_path)
    rewards = iter([1.0, 1.0] * 5 + [0.0])
    asked = []

    def last_reward(spec, seed, overrides, folder):
        asked.append(seed)
        return next(rewards)

    monkeypatch.setattr(tuning, "_last_reward", last_reward)
    study.optimize(lambda trial: score(trial, spec(), tmp_path), n_trials=6)
    assert study.trials[-1].state == optuna.trial.TrialState.PRUNED
    assert asked == [1000, 1001] * 5 + [1000]


def test_a_run_that_diverges_scores_worst_and_the_study_goes_on(tmp_path, monkeypatch):
    def diverge(folder, spec):
        return "critic_loss became nan at step 3"

    monkeypatch.setattr(tuning, "attempt", diverge)
    assert tune(spec(n_trials=2), tmp_path).best_value == tuning.WORST


def test_the_table_of_trials_is_sorted_by_score(tmp_path):
    table = trials(tune(spec(n_trials=3), tmp_path))
    assert list(table["score"]) == sorted(table["score"], reverse=True)
    assert set(table.columns) == {"trial", "state", "score", *LEARNERS["hysteretic"].ranges}
