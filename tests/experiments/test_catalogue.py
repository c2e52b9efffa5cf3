import textwrap

import pytest
import torch

from svnr.experiments.catalogue import (
    GAMES,
    LEARNERS,
    Range,
    example,
    make_game,
    make_learner,
    resolved,
    source_hash,
)
from svnr.games.check import check_game
from svnr.sets import full, none, strict

ROWERS = """
import torch
from svnr.games.game import OneShotGame

class Rowers(OneShotGame):
    name, action_sizes = "rowers", (1, 1)

    def __init__(self, best=0.0):
        self.best = best

    def reward(self, u):
        return -(u - self.best).square().sum(-1)

    def rules(self):
        return {"best": self.best}

number = 3
"""


@pytest.fixture
def rowers(tmp_path):
    path = tmp_path / "my_game.py"
    path.write_text(textwrap.dedent(ROWERS))
    return path


@pytest.mark.parametrize("name", GAMES)
def test_every_game_keeps_the_protocol_and_its_name(name):
    game = make_game(name)
    check_game(game)
    assert game.name == name


def test_svnr_and_its_relatives_differ_by_the_sets_alone():
    game = make_game("max_of_three_1.5")
    made = {
        name: make_learner(name, game, resolved(name, "max_of_three_1.5", {}), 0)
        for name in ("svnr", "svnr_f", "svnr_m")
    }
    assert [made[n].sets for n in made] == [strict(3), full(3), none(3)]
    assert len({type(learner) for learner in made.values()}) == 1


def test_unknown_names_are_refused_with_the_valid_ones():
    with pytest.raises(ValueError, match=r"game must be one of .*did you mean 'climbing'"):
        make_game("climbin")
    with pytest.raises(ValueError, match=r"learner must be one of svnr, .*got 'maddpgg'"):
        resolved("maddpgg", "climbing", {})
    with pytest.raises(ValueError, match=r"setting must be one of .*did you mean 'n_particles'"):
        resolved("svnr", "climbing", {"n_particle": 3})


def test_settings_are_the_learners_own_then_the_games_then_the_changes():
    own, on_gather = (resolved("svnr", game, {}) for game in ("climbing", "particle_gather"))
    assert (own.discount, on_gather.discount, on_gather.episode_updates) == (0.95, 0.8, 4)
    assert resolved("svnr", "particle_gather", {"discount": 0.9}).discount == 0.9
    assert not hasattr(resolved("maddpg", "particle_gather", {}), "n_particles")


@pytest.mark.parametrize("name", LEARNERS)
def test_noise_follows_the_actions_that_it_drives(name):
    # SVNR draws one an action of each agent, MASQL one an action, PR2 one an action of a partner.
    wanted = {"svnr": 1, "svnr_f": 1, "svnr_m": 1, "masql": 4, "pr2": 3}
    settings = resolved(name, "particle_gather", {})
    assert getattr(settings, "noise_size", None) == wanted.get(name)


def test_a_game_is_named_by_where_it_is(rowers):
    plain, shifted = make_game(f"{rowers}:Rowers"), make_game(f"{rowers}:Rowers(best=0.5)")
    u = torch.tensor([[0.5, 0.5]])
    assert plain.reward(u).item() == -0.5 and shifted.reward(u).item() == 0.0
    assert make_game("svnr.games.matrix:climbing").name == "climbing"


def test_an_environment_of_pettingzoo_is_named_by_where_it_is():
    pytest.importorskip("mpe2")
    name = "svnr.games.gather_env:GatherParallelEnv"
    assert make_game(name).action_sizes == (1, 1, 1, 1)


def test_a_changed_file_is_another_game(rowers):
    name = f"{rowers}:Rowers"
    before, first = source_hash(name), example(name)
    assert example(name) is first
    rowers.write_text(rowers.read_text().replace("-(u", "-2 * (u"))
    assert source_hash(name) != before
    assert example(name).reward(torch.tensor([1.0, 0.0])).item() == -2.0


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        (":Rower", "must name something in"),
        (":number", "must name what makes one, got .* which is 3"),
        (":Rowers(best=x)", "literal arguments by name"),
        (":Rowers(0.5)", "literal arguments by name"),
    ],
)
def test_a_place_where_no_game_is_made_is_refused(rowers, ending, message):
    with pytest.raises(ValueError, match=message):
        make_game(f"{rowers}{ending}")
    with pytest.raises(ValueError, match="must name a module or a file"):
        make_game("no_such_package.games:Rowers")


def test_every_row_has_a_title_and_ranges_around_its_own_settings():
    for name, row in LEARNERS.items():
        for game in ("max_of_three_1.5", "particle_gather"):
            settings = resolved(name, game, {})
            for setting, where in (row.ranges | GAMES[game].ranges).items():
                if setting in row.ranges:
                    assert where.low <= getattr(settings, setting) <= where.high
    assert all(row.title for row in [*LEARNERS.values(), *GAMES.values()])


def test_the_papers_ranges_are_the_papers():
    # §8: learning rate in 1e-4 to 1e-1, initial α in 0.1 to 10, particles in 16 to 64.
    rate, alpha, particles = LEARNERS["svnr"].ranges.values()
    assert (rate.low, rate.high, alpha.low, alpha.high) == (1e-4, 1e-1, 1e-1, 10.0)
    assert (particles.low, particles.high) == (16, 64)


def test_values_come_onto_the_grid_of_a_range():
    assert Range(16, 64, step=2).onto(53) == 52
    assert Range(1e-4, 1e-1, log=True).onto(0.00658123) == 0.00658
