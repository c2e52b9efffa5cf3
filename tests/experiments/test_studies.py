from pathlib import Path

import pytest

from svnr.experiments.catalogue import LEARNERS, resolved
from svnr.experiments.repository import repository_root
from svnr.experiments.studies import StudySpec, committed, read_study, tuned
from svnr.experiments.tune import finished_trials

STUDIED = ["max_of_three_1.5", "particle_gather"]
UNSTUDIED = ["svnr_b", "facmac", "qmix", "mappo", "mmq", "hasac"]  # on these games


@pytest.mark.parametrize("game", STUDIED)
@pytest.mark.parametrize("learner", [name for name in LEARNERS if name not in UNSTUDIED])
def test_what_is_tuned_is_the_best_trial_of_a_whole_study(game, learner):
    spec = committed(learner, game)
    study = read_study(spec, repository_root() / "results" / "tuning")
    assert len(finished_trials(study)) >= spec.n_trials
    chosen = tuned(learner, game)
    assert chosen.keys() == study.best_params.keys()
    for name, value in chosen.items():  # to three digits, or the whole number below
        assert value == pytest.approx(study.best_params[name], rel=5e-3, abs=1.0)
    resolved(learner, game, chosen)  # a learner can be made with them


@pytest.mark.parametrize("game", STUDIED)
@pytest.mark.parametrize("learner", UNSTUDIED)
def test_a_learner_that_was_not_tuned_is_refused(game, learner):
    with pytest.raises(ValueError, match="study must be one that was begun, there is no"):
        tuned(learner, game)


def test_the_ablations_have_svnrs_and_variants_those_of_their_game():
    for game in STUDIED:
        assert tuned("svnr_f", game) == tuned("svnr_m", game) == tuned("svnr", game)
    assert tuned("masql", "particle_gather_far") == tuned("masql", "particle_gather")
    assert tuned("masql", "max_of_three_3.0_code") == tuned("masql", "max_of_three_1.5")
    assert tuned("masql", "max_of_three_1.5") != tuned("masql", "particle_gather")


def test_a_search_in_which_settings_are_held_is_another_one():
    chosen = tuned("svnr", "max_of_three_1.5", schedule="printed")
    assert chosen["schedule"] == "printed" and chosen["alpha_final"] < 0.5  # 8.33 in three phases
    names = {
        committed("svnr", "max_of_three_1.5", alpha_final=a).journal(Path()) for a in (2, 2.0)
    }
    assert len(names) == 1
    with pytest.raises(ValueError, match=r"no .*maddpg-1500-hidden-_32_32_.jsonl"):
        tuned("maddpg", "max_of_three_1.5", hidden=[32, 32])


def test_a_game_that_was_not_tuned_is_refused():
    for game in ("two_modalities", "svnr.games.matrix:climbing"):
        with pytest.raises(ValueError, match="game must be one that was tuned"):
            tuned("svnr", game)
    with pytest.raises(ValueError, match=r"learner must be one of .*got 'snvr'"):
        tuned("snvr", "particle_gather")


def test_unknown_names_and_empty_budgets_are_refused():
    with pytest.raises(ValueError, match="did you mean 'hysteretic'"):
        StudySpec(game="climbing", learner="hysteretik")
    with pytest.raises(ValueError, match="n_trials must be a whole number in"):
        StudySpec(game="climbing", learner="svnr", n_trials=0)


def test_reading_a_study_that_was_not_begun_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match="there is no"):
        read_study(StudySpec(game="climbing", learner="svnr"), tmp_path)
    assert not list(tmp_path.iterdir())
