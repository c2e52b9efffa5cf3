import pytest

from svnr.experiments.catalogue import (
    GAMES,
    LEARNERS,
    learner_class,
    make_game,
    plays,
    resolved,
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
        name: learner_class(name)(game, resolved(name, "max_of_three_1.5", {}), 0)
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
    with pytest.raises(ValueError, match="sets must be 'full', which makes svnr svnr_f, got 'no"):
        resolved("svnr_f", "climbing", {"sets": "none"})
    written_out = resolved("svnr_f", "climbing", {"sets": ((1,), (0,))})
    assert written_out == resolved("svnr_f", "climbing", {})


def test_a_learner_that_learns_from_next_states_plays_no_game_of_one_step():
    assert plays("mmq", "particle_gather") and plays("hysteretic", "climbing")
    for name in LEARNERS:
        for game in GAMES:
            if not plays(name, game):
                with pytest.raises(ValueError, match=f"game must be .* got {game} of one step"):
                    resolved(name, game, {})
    assert [name for name in LEARNERS if not plays(name, "climbing")] == ["mmq"]


def test_settings_are_the_learners_own_then_the_games_then_the_changes():
    own, on_gather = (resolved("svnr", game, {}) for game in ("climbing", "particle_gather"))
    assert (own.discount, on_gather.discount, on_gather.episode_updates) == (0.95, 0.8, 4)
    assert resolved("svnr", "particle_gather", {"discount": 0.9}).discount == 0.9
    assert not hasattr(resolved("maddpg", "particle_gather", {}), "n_particles")


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("place", ["turned", "anywhere"])
def test_where_starts_lie_in_all_directions_every_method_gets_the_same_changes(place, name):
    fixed = resolved(name, "particle_gather", {})
    headline = resolved(name, f"particle_gather_{place}", {})
    assert not headline.use_symmetries  # nobody is told of the square
    if name == "mappo":  # its rows look ahead to the end as it is, and its ratio wants each draw
        assert headline == fixed and not hasattr(headline, "hold")
        return
    assert (fixed.hold, headline.hold) == (1, 5)
    wanted = 1 if name == "mmq" else 3  # with more it feeds on its own hopes
    assert (fixed.n_steps, headline.n_steps) == (1, wanted)
    undone = resolved(name, f"particle_gather_{place}", {"n_steps": 1, "hold": 1})
    assert undone == fixed


@pytest.mark.parametrize("name", LEARNERS)
def test_noise_follows_the_actions_that_it_drives(name):
    # SVNR draws one an action of each agent, MASQL one an action, PR2 one an action of a partner.
    wanted = {"svnr": 1, "svnr_f": 1, "svnr_m": 1, "svnr_b": 1, "masql": 4, "pr2": 3}
    settings = resolved(name, "particle_gather", {})
    assert getattr(settings, "noise_size", None) == wanted.get(name)


def test_every_row_has_a_title_and_ranges_around_its_own_settings():
    for name, row in LEARNERS.items():
        for game in filter(
            lambda game: plays(name, game), ("max_of_three_1.5", "particle_gather")
        ):
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
