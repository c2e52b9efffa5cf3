import pytest

from svnr.experiments.runs import run_spec
from svnr.experiments.scenarios import (
    GAMES,
    LEARNERS,
    learner_settings,
    make_game,
    make_learner,
    training,
)
from svnr.games.check import check_game
from svnr.sets import full, none, strict


@pytest.mark.parametrize("name", GAMES)
def test_every_game_keeps_the_protocol_and_its_name(name):
    game = make_game(name)
    check_game(game)
    assert game.name == name


def test_svnr_and_its_relatives_differ_by_the_sets_alone():
    game = make_game("max_of_three_1.5")
    made = {
        name: make_learner(name, game, learner_settings(name), 10, 0)
        for name in ("svnr", "svnr_f", "svnr_m")
    }
    assert [made[n].sets for n in made] == [strict(3), full(3), none(3)]
    assert len({type(learner) for learner in made.values()}) == 1


def test_unknown_names_are_refused_with_the_valid_ones():
    with pytest.raises(ValueError, match=r"game must be one of .*did you mean 'climbing'"):
        make_game("climbin")
    with pytest.raises(ValueError, match=r"learner must be one of svnr, .*got 'maddpgg'"):
        learner_settings("maddpgg")
    with pytest.raises(ValueError, match=r"setting must be one of .*did you mean 'n_particles'"):
        learner_settings("svnr", {"n_particle": 3})


def test_every_learner_has_a_title():
    assert all(entry.title for entry in LEARNERS.values())


@pytest.mark.parametrize(("n_episodes", "n_test"), [(3, 3), (1000, 1000), (5000, 1000)])
def test_a_run_is_tested_on_no_more_episodes_than_it_trains(n_episodes, n_test):
    assert training("particle_gather", n_episodes).n_test == n_test


def test_a_length_that_no_run_can_have_is_refused():
    with pytest.raises(ValueError, match="n_episodes must be a whole number of at least 1, got 0"):
        training("climbing", 0)


def test_a_run_can_be_trained_otherwise_than_its_game_says():
    own, other = (
        run_spec("particle_gather", "svnr", training=changes).training
        for changes in (None, {"episode_updates": 0})
    )
    assert (own.episode_updates, other.episode_updates) == (4, 0)
    assert other.rewarded_share == own.rewarded_share == 0.25
    with pytest.raises(ValueError, match=r"training setting must be .*did you mean 'warmup'"):
        run_spec("particle_gather", "svnr", training={"warmups": 5})
