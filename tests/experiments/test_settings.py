import pytest

from svnr.experiments.repository import repository_root
from svnr.experiments.scenarios import LEARNERS, learner_settings
from svnr.experiments.settings import STUDY, TUNED, tuned
from svnr.experiments.tune import StudySpec, finished_trials, read_study


@pytest.mark.parametrize("learner", TUNED)
def test_the_tuned_settings_are_the_best_trial_of_a_whole_study(learner):
    spec = StudySpec(learner=learner, **STUDY)
    study = read_study(spec, repository_root() / "results" / "tuning")
    assert len(finished_trials(study)) >= STUDY["n_trials"]
    best = {name: float(f"{value:.3g}") for name, value in study.best_params.items()}
    assert best == tuned(learner)
    learner_settings(learner, tuned(learner))  # a learner can be made with them


def test_every_learner_has_tuned_settings_and_the_ablations_have_svnrs():
    assert {name for name in LEARNERS if tuned(name)} == set(LEARNERS)
    assert tuned("svnr_f") == tuned("svnr_m") == tuned("svnr")
    with pytest.raises(ValueError, match=r"learner must be one that was tuned, .* got 'snvr'"):
        tuned("snvr")
