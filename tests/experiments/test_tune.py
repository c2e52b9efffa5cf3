import json
import signal
import subprocess
import sys
import time
from math import inf

import numpy as np
import optuna
import pytest
from watching import wait_until

from svnr.experiments import studies
from svnr.experiments import tune as tuning
from svnr.experiments.catalogue import LEARNERS, resolved
from svnr.experiments.recipes import Range
from svnr.experiments.runs import Run
from svnr.experiments.studies import StudySpec, read_study
from svnr.experiments.tune import Search, Trial, finished_trials, proposed, score, tune
from svnr.report.searches import trials


def spec(**changes):
    given = {"game": "max_of_three_1.5", "learner": "hysteretic", "n_trials": 3, "n_episodes": 15}
    return StudySpec(**(given | changes))


def paying(pay):
    """A score without a run: what settings earn is a function of them."""

    def scored(spec, folder, trial):
        first = pay(trial.settings)
        scores = [first + seed for seed in range(spec.n_seeds)]
        return tuning.replace(trial, scores=scores[: 1 if scores[0] < trial.floor else None])

    return scored


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(tuning, "score", paying(lambda settings: -settings["learning_rate"]))


def numbers(study):
    """What a study holds, without the moments at which it was written."""
    return [(t.number, t.state.name, t.params, t.intermediate_values) for t in study.trials]


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


def test_a_study_interrupted_after_every_trial_is_the_undisturbed_one(tmp_path, fast):
    whole = tune(spec(n_trials=20), tmp_path / "whole")
    for n_trials in range(1, 21):
        parts = tune(spec(n_trials=n_trials), tmp_path / "parts")
    assert numbers(parts) == numbers(whole)
    points = {tuple(trial.params.values()) for trial in whole.trials}
    assert len(points) == 20  # no point is drawn twice


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]])
def test_a_study_does_not_depend_on_which_of_its_trials_ends_first(tmp_path, fast, order):
    """As many as may go side by side are begun; they end in an order of their own."""
    whole = tune(spec(n_trials=14), tmp_path / "one")
    given = spec(n_trials=14)
    study = tuning.begin(given, tmp_path / "many", tuning.description(given))
    search, running = Search(given, study, lambda n_done: None), []
    while True:
        while trial := search.next():
            running.append(tuning.score(given, tmp_path, trial))
        if not running:
            break
        assert len(running) <= tuning.LAG
        search.add(running.pop(order[len(search.trials) % 4] % len(running)))
    assert numbers(study) == numbers(whole)


@pytest.mark.slow
def test_a_study_of_two_processes_is_that_of_one(tmp_path):
    one = tune(spec(n_trials=7), tmp_path / "one")
    two = tune(spec(n_trials=7), tmp_path / "two", n_jobs=2)
    assert numbers(one) == numbers(two) and len(two.trials) == 7


def test_settings_that_are_held_are_those_of_every_trial_and_their_study_lies_apart(
    tmp_path, monkeypatch
):
    runs = []
    monkeypatch.setattr(tuning, "attempt", lambda folder, run, wait: runs.append(run) or "failed")
    held = {"schedule": "printed", "alpha_final": 2.0}
    given = spec(learner="svnr", overrides=held)
    study = tune(given, tmp_path)
    assert {(run.settings.schedule, run.settings.alpha_final) for run in runs} == {
        ("printed", 2.0)
    }
    assert all(trial.params.keys() == {"learning_rate", "n_particles"} for trial in study.trials)
    assert given.journal(tmp_path).exists() and not spec(learner="svnr").journal(tmp_path).exists()
    with pytest.raises(ValueError, match="setting must be one of"):
        tune(spec(overrides={"schedule": "printed"}), tmp_path / "not its own")
    assert not (tmp_path / "not its own").exists()


def test_a_trial_that_begins_below_the_median_is_not_run_on_other_seeds(tmp_path, monkeypatch):
    """After five trials of median −1, visible from the ninth on, one of −2 has one score."""
    pays = iter([-1.0] * 8 + [-2.0, -1.0])
    monkeypatch.setattr(tuning, "score", paying(lambda settings: next(pays)))
    study = tune(spec(n_trials=10), tmp_path)
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE"] * 8 + ["PRUNED", "COMPLETE"]
    assert study.trials[8].intermediate_values == {0: -2.0}
    assert study.trials[9].value == -0.5  # of seeds that pay −1 and 0


def test_a_run_that_diverges_scores_below_whatever_a_game_pays(tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "attempt", lambda folder, spec, wait: "critic_loss became nan")
    study = tune(spec(n_trials=2), tmp_path)
    assert study.best_value == -inf
    assert numbers(read_study(spec(), tmp_path)) == numbers(study)
    after = proposed(spec(), 12, study.trials * 6)  # the sampler can go on from there
    assert np.isfinite(list(after.settings.values())).all()


def test_a_run_that_was_done_is_read(tmp_path, monkeypatch):
    given = Trial(1, {"learning_rate": 0.01})
    first = score(spec(), tmp_path, given)
    assert len(first.scores) == 2 and len(list(tmp_path.rglob("*.npz"))) == 2
    monkeypatch.setattr(
        "svnr.experiments.store._perform", lambda spec, folder: pytest.fail("run again")
    )
    assert score(spec(), tmp_path, given).scores == first.scores


@pytest.mark.parametrize(("n_episodes", "scored"), [(5000, 100), (1500, 100), (100, 10), (5, 1)])
def test_a_run_is_scored_by_its_end(tmp_path, monkeypatch, n_episodes, scored):
    """Returns of 0, 1, 2, …: of a robot's 100 episodes the last ten, whose mean is 94.5."""
    monkeypatch.setattr(Run, "returns", property(lambda run: np.arange(float(n_episodes))))
    run = object.__new__(Run)
    monkeypatch.setattr(tuning, "attempt", lambda folder, spec, wait: run)
    given = score(spec(n_episodes=n_episodes), tmp_path, Trial(1, {}))
    assert given.scores == [n_episodes - 1 - (scored - 1) / 2] * 2


def test_an_older_study_of_short_runs_that_were_scored_whole_is_not_gone_on_with(tmp_path, fast):
    """All 15 episodes of 15 counted, and now the last two; of 1,500 the last 100, as now."""
    for n_episodes in (15, 1500):
        given = spec(n_episodes=n_episodes)
        told = {n: x for n, x in tuning.description(given).items() if n != "n_scored"}
        given.journal(tmp_path).parent.mkdir(exist_ok=True)
        studies._study(given.name, given.journal(tmp_path)).set_user_attr("described", told)
    with pytest.raises(ValueError, match="whose n_scored is 15, got 2"):
        tune(spec(), tmp_path)
    assert len(tune(spec(n_episodes=1500), tmp_path).trials) == 3


WALK = """
import torch
from svnr.games.game import Game

class Walk(Game):
    name, action_sizes, state_size, horizon = "walk", (1, 1), 1, 3

    def _begin(self, copies, seed):
        return {"state": torch.zeros(len(copies), 1)}

    def _play(self, now, u, running):
        return u.sum(-1), {"state": now["state"] + u[:, :1]}
"""


def test_a_game_of_ones_own_of_several_steps_begins_with_what_such_games_share(tmp_path):
    (tmp_path / "walk.py").write_text(WALK)
    game = f"{tmp_path / 'walk.py'}:Walk"
    own = resolved("svnr", game, {})
    assert (own.n_particles, own.n_groups, own.layer_norm) == (8, 64, True)
    assert resolved("svnr", "max_of_three_1.5", {}).n_particles > 16
    study = tune(spec(game=game, learner="svnr", n_trials=2, n_episodes=2), tmp_path)
    assert len(finished_trials(study)) == 2 and study.trials[0].params["n_particles"] == 8


def test_a_search_that_cannot_begin_where_it_should_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(StudySpec, "ranges", {"learning_rate": Range(0.1, 1.0)})
    with pytest.raises(
        ValueError, match=r"learning_rate must lie in 0.1 to 1, where trials begin"
    ):
        tune(spec(), tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_a_study_that_is_killed_again_and_again_is_the_undisturbed_one(tmp_path):
    arguments = ["tune", "max_of_three_1.5", "hysteretic", "--trials", "4", "--episodes", "120"]
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "svnr.cli", *arguments, "--output", str(folder)]
    for wait in (0.5, 1.5, 0.2):
        process = subprocess.Popen([*command, "--jobs", "2"])
        wait_until(lambda: list(folder.rglob("*.lock")))
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    given = spec(n_trials=4, n_episodes=120)
    study = read_study(given, folder)
    assert numbers(study) == numbers(tune(given, tmp_path / "whole"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"n_seeds": 3}, "n_seeds is 2, got 3"), ({"sampler_seed": 1}, "sampler_seed is 0, got 1")],
)
def test_a_study_of_something_else_is_not_gone_on_with(tmp_path, fast, changes, message):
    tune(spec(n_trials=1), tmp_path)
    with pytest.raises(ValueError, match=message):
        tune(spec(**changes), tmp_path)


def test_other_rules_of_the_game_are_another_study(tmp_path, fast, monkeypatch):
    tune(spec(n_trials=1), tmp_path)
    real = tuning.description
    monkeypatch.setattr(tuning, "description", lambda spec: real(spec) | {"game": "other rules"})
    with pytest.raises(ValueError, match=r"whose game is .*got 'other rules'"):
        tune(spec(), tmp_path)


def test_settings_are_checked_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError):
        tune(spec(game="nowhere.py:Nothing"), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("damage", "line"), [("torn", 6), ("foreign", 7), ("garbage", 7), ("changed", 5)]
)
def test_a_damaged_line_is_named_and_set_aside_and_the_study_goes_on(tmp_path, fast, damage, line):
    whole = tune(spec(n_trials=4), tmp_path)  # two lines of the study, one a trial
    path = spec().journal(tmp_path)
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    assert len(lines) == 6
    changed = lines[4].replace(b'"learning_rate":', b'"learning_rate":1')
    path.write_bytes(
        {
            "torn": data[:-9],
            "foreign": data + b'{"note": "mine"}\n',
            "garbage": data + b"\x00\xff\n",
            "changed": b"".join([*lines[:4], changed, lines[5]]),
        }[damage]
    )
    if damage != "torn":  # which may be what somebody is writing now
        with pytest.raises(ValueError, match=f"hysteretic-15.jsonl, line {line}: "):
            read_study(spec(), tmp_path)
    with pytest.warns(UserWarning, match=f"hysteretic-15.jsonl, line {line}: .*set aside as "):
        again = tune(spec(n_trials=4), tmp_path)
    assert numbers(again) == numbers(whole)
    aside = path.with_name(f"{path.name}.damaged").read_bytes()
    assert aside and json.loads(path.read_bytes().splitlines()[-1])["op_code"] == 4


def test_what_an_older_journal_left_under_way_is_taken_up_again(tmp_path, fast):
    """Optuna's own journals have trials that run; whoever ran them is dead, they are no trials."""
    path = spec().journal(tmp_path)
    path.parent.mkdir(parents=True)
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    older = optuna.create_study(
        storage=optuna.storages.JournalStorage(backend),
        study_name=spec().name,
        direction="maximize",
    )
    older.ask()
    study = tune(spec(n_trials=14), tmp_path)
    assert len(finished_trials(study)) == 14
    own = resolved("hysteretic", "max_of_three_1.5", {})
    assert finished_trials(study)[0].params["learning_rate"] == own.learning_rate


def test_the_table_of_trials_is_sorted_by_score(tmp_path):
    table = trials(tune(spec(n_trials=3), tmp_path))
    assert list(table["score"]) == sorted(table["score"], reverse=True)
    assert set(table.columns) == {"trial", "state", "score", *LEARNERS["hysteretic"].ranges}
