import json

import pytest
import torch

from svnr.experiments import specs
from svnr.experiments.catalogue import GAMES, settings_class
from svnr.experiments.repository import repository_root
from svnr.experiments.specs import RunSpec, TrainSettings, grid, run_spec
from svnr.learners.svnr import SVNR

ROWS, OFF, ON = {"n_particles": 16}, {"use_symmetries": False}, {"use_symmetries": True}
RESULTS = repository_root() / "results"


def spec(game="max_of_three_2.0", learner="svnr", seed=0, n_episodes=30, **changes):
    return run_spec(game, learner, seed, n_episodes, **changes)


def test_the_key_tells_runs_apart_by_everything_that_matters():
    variants = [
        spec(),
        spec(seed=1),
        spec("max_of_three_1.5"),
        spec(learner="svnr_m"),
        spec(n_episodes=31),
        spec(overrides=ROWS),
        spec(overrides={"sets": (frozenset(), frozenset({0}), frozenset({0}))}),
        spec(overrides={"batch_size": 256}),
        spec(training={"n_copies": 2}),
        spec(training={"unit": "steps"}),
        spec(training={"n_test": 7}),
        spec(training={"trace_every": 7}),
        spec(protocol="as tuned"),
    ]
    assert len({variant.key for variant in variants}) == len(variants)


@pytest.mark.parametrize(
    "same",
    [
        {"n_particles": 48},
        {"alpha_final": 10},
        {"hidden": [100, 100]},
        {"sets": "strict"},
        {"sets": [[], [0], [0, 1]]},
        {"noise_size": 1},
    ],
)
def test_the_key_does_not_depend_on_how_a_setting_was_said(same):
    assert spec(overrides=same) == spec()
    assert spec(overrides=same).key == spec().key


def test_the_key_moves_with_the_rules_of_the_game():
    near, wide = (
        spec(f"svnr.games.gather:particle_gather(radius={radius})") for radius in (0.3, 0.2)
    )
    named = spec("particle_gather", overrides=near.settings.plain())
    assert near.key != wide.key
    assert near.key == named.key  # the same rules, however the game was named


@pytest.mark.parametrize("what", ["learner", "game", "loop", "evaluation", "dtype"])
def test_the_key_moves_with_every_version(what, monkeypatch):
    before = spec().key
    if what == "learner":
        monkeypatch.setattr(SVNR, "version", SVNR.version + 1)
    elif what == "game":
        monkeypatch.setattr("svnr.games.differential.DifferentialGame.version", 99)
    elif what == "dtype":
        monkeypatch.setattr(torch, "get_default_dtype", lambda: torch.float64)
    else:
        monkeypatch.setattr(specs, what.upper(), 99)
    assert spec().key != before


@pytest.mark.parametrize(("n_episodes", "n_test"), [(3, 3), (1000, 1000), (5000, 1000)])
def test_a_run_is_tested_on_no_more_episodes_than_it_trains(n_episodes, n_test):
    assert spec("particle_gather", n_episodes=n_episodes).training.n_test == n_test


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"game": "max_of_tree"}, "game must be one of"),
        ({"learner": "svrn"}, "learner must be one of"),
        ({"overrides": {"alpha": 1}}, "setting must be one of"),
        ({"overrides": {"layer_norm": "false"}}, "layer_norm must be True or False, got 'false'"),
        ({"overrides": {"discount": 2}}, r"discount must be a number in \[0, 1\], got 2"),
        ({"overrides": {"hidden": ()}}, "hidden must be a tuple that is not empty"),
        ({"overrides": {"sets": ("strict",)}}, "sets"),
        ({"training": {"lenght": 5}}, "did you mean 'length'"),
        ({"n_episodes": 0}, "n_episodes must be a whole number of at least 1, got 0"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": 1.5}, "seed must be a whole number of at least 0, got 1.5"),
        ({"overrides": {"schedule_unit": 6}, "n_episodes": 5}, "schedule_unit must be at most"),
        ({"protocol": "as tunedd"}, "protocol must be one of as set, as tuned, got 'as tunedd'"),
    ],
)
def test_what_no_run_could_use_is_refused_before_it_is_run(wrong, message):
    with pytest.raises(ValueError, match=message):
        spec(**wrong)


def test_a_grid_has_every_learner_on_every_game_with_every_seed():
    made = grid(["climbing", "qtran"], ["svnr", "pr2"], 3, 20)
    assert [(s.game, s.learner, s.seed) for s in made[:4]] == [
        ("climbing", "svnr", 0),
        ("climbing", "svnr", 1),
        ("climbing", "svnr", 2),
        ("climbing", "pr2", 0),
    ]
    assert len({s.key for s in made}) == 12
    with pytest.raises(ValueError, match="n_seeds must be a whole number of at least 1, got 0"):
        grid(["climbing"], ["svnr"], 0, 20)


def test_a_length_is_so_many_episodes_or_so_many_steps():
    assert TrainSettings().unit == "episodes"
    with pytest.raises(ValueError, match="unit must be one of episodes, steps, got 'hours'"):
        TrainSettings(unit="hours")


def test_runs_are_as_long_as_runs_of_their_game_are_unless_told_otherwise():
    robot = run_spec("halfcheetah_2x3", "svnr").training
    assert (robot.length, robot.unit, robot.n_copies, robot.n_test) == (300_000, "steps", 8, 4)
    shorter = run_spec("halfcheetah_2x3", "svnr", training={"length": 9}).training
    assert (shorter.length, shorter.unit, shorter.test_every) == (9, "steps", 25_000)
    episodes = run_spec("halfcheetah_2x3", "svnr", 0, 3).training
    assert (episodes.length, episodes.unit, episodes.n_copies) == (3, "episodes", 8)
    assert (episodes.n_test, episodes.test_every) == (3, 0)  # not in so many steps
    assert run_spec("climbing", "svnr").training == TrainSettings()
    assert run_spec("climbing", "svnr", 0, 5000) == run_spec("climbing", "svnr")


def kept(game):
    """The headers of the runs of a game that this repository keeps, with their files."""
    return [(path, json.loads(path.read_text("utf-8"))) for path in RESULTS.glob(f"{game}/*.json")]


@pytest.mark.parametrize("game", sorted(GAMES))
def test_runs_that_were_kept_are_found_again_by_what_they_say(game):
    for path, header in kept(game):
        learner = header["learner"]["name"]
        described = RunSpec(
            game=game,
            learner=learner,
            seed=header["seed"],
            settings=settings_class(learner)(**header["settings"]),
            training=TrainSettings(**header["training"]),
        )
        assert described.description | {"made": header["made"]} == header
        assert described.file(RESULTS, ".json") == path


def test_a_setting_that_was_added_later_moves_the_key_where_it_is_used():
    assert spec("particle_gather").key == spec("particle_gather", overrides=OFF).key
    assert spec("particle_gather", overrides=ON).key != spec("particle_gather").key
