import pytest

from svnr.experiments.repository import repository_root
from svnr.experiments.scenarios import LEARNERS, learner_settings
from svnr.experiments.settings import STUDIES, TUNED, tuned, tuned_on
from svnr.experiments.tune import StudySpec, finished_trials, read_study


@pytest.mark.parametrize(
    ("game", "learner"), [(game, learner) for game in TUNED for learner in TUNED[game]]
)
def test_the_tuned_settings_are_the_best_trial_of_a_whole_study(game, learner):
    spec = StudySpec(game=game, learner=learner, **STUDIES[game])
    study = read_study(spec, repository_root() / "results" / "tuning")
    assert len(finished_trials(study)) >= STUDIES[game]["n_trials"]
    best = {name: float(f"{value:.3g}") for name, value in study.best_params.items()}
    assert best == tuned(learner, game)
    learner_settings(learner, tuned(learner, game))  # a learner can be made with them


@pytest.mark.parametrize("game", TUNED)
def test_every_learner_has_tuned_settings_and_the_ablations_have_svnrs(game):
    assert {name for name in LEARNERS if tuned(name, game)} == set(LEARNERS)
    assert tuned("svnr_f", game) == tuned("svnr_m", game) == tuned("svnr", game)
    with pytest.raises(ValueError, match=r"learner must be one that was tuned, .* got 'snvr'"):
        tuned("snvr", game)


@pytest.mark.parametrize(
    ("game", "studied"),
    [
        ("particle_gather", "particle_gather"),
        ("particle_gather_far", "particle_gather"),
        ("max_of_three_1.5_code", "max_of_three_1.5"),
        ("max_of_three_3.0", "max_of_three_1.5"),
        ("two_modalities", "max_of_three_1.5"),
    ],
)
def test_a_game_without_studies_has_those_of_its_like_or_of_the_first(game, studied):
    assert tuned_on(game) == studied
    assert tuned("masql", game) == TUNED[studied]["masql"]
