import itertools
from functools import cached_property

import numpy as np
import pytest
import torch

from svnr.games.differential import max_of_three
from svnr.games.game import Game, OneShotGame, agent_of_coordinate, agent_slices, as_data
from svnr.games.gather import particle_gather


class Fine(OneShotGame):
    name = "fine"
    action_sizes = (1, 2)

    def reward(self, u):
        return -u.square().sum(-1)


class Counter(Game):
    """Starts at a random number, adds what is played, ends above 2; goes on for ever otherwise."""

    name, action_sizes, state_size, horizon = "counter", (1,), 1, 4

    def _begin(self, copies, seed):
        noise = torch.Generator().manual_seed(seed)
        return {"state": torch.rand(len(copies), 1, generator=noise)}

    def _play(self, now, u, running):
        state = now["state"] + u
        return state[:, 0], {"state": state, "terminated": state[:, 0] > 2}


def restarted(*which, n=3):
    return torch.isin(torch.arange(n), torch.tensor(which))


@pytest.mark.parametrize(
    ("u", "message"),
    [
        (
            torch.zeros(3),
            r"u must have a row of 3 for each of the 1 copies .* got torch.float32 of shape \[3\]",
        ),
        (np.zeros((1, 3)), "u must have a row of 3 for each of the 1 copies .* got ndarray"),
        (torch.zeros(2, 2), r"u must have a row of 3 for each .* got torch.* of shape \[2, 2\]"),
        (torch.tensor([[0.0, 1.00001, 0.0]]), r"u must lie in \[-1, 1\], got 1.0000"),
        (torch.tensor([[0.0, float("nan"), 0.0]]), r"u must lie in \[-1, 1\], got nan"),
        (
            torch.zeros(2, 3),
            r"each of the 1 copies that reset started, got torch.* of shape \[2, 3\]",
        ),
    ],
)
def test_actions_outside_the_box_are_refused(u, message):
    game = Fine()
    game.reset(1, 0)
    with pytest.raises(ValueError, match=message):
        game.step(u)


def test_coordinates_belong_to_agents_in_order():
    assert agent_slices((1, 3, 2)) == [slice(0, 1), slice(1, 4), slice(4, 6)]
    assert agent_of_coordinate((1, 3, 2)) == [0, 1, 1, 1, 2, 2]


def test_one_shot_games_end_at_once():
    game = Fine()
    game.reset(5, 0)
    step = game.step(torch.ones(5, 3))
    assert step.reward.tolist() == [-3.0] * 5
    assert bool(step.terminated.all()) and not bool(step.truncated.any())
    assert game.step(torch.ones(5, 3)).reward.tolist() == [0.0] * 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda game: game.reset(0, 0), "n_copies must be a whole number of at least 1, got 0"),
        (lambda game: game.reset(1, -1), "seed must be a whole number of at least 0, got -1"),
        (lambda game: game.restart(restarted(0), 0), r"copies must be torch.bool of shape \[0\]"),
        (lambda game: game.step(torch.zeros(2, 1)), "each of the 0 copies that reset started"),
    ],
)
def test_calls_that_make_no_sense_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(Counter())


def test_copies_to_restart_are_named_by_true_and_false():
    game = Counter()
    game.reset(3, 0)
    with pytest.raises(ValueError, match=r"copies must be torch.bool of shape \[3\], got .*int64"):
        game.restart(torch.tensor([0, 2]), 0)


def test_an_ended_copy_stays_and_pays_nothing_whatever_the_game_says_of_it():
    """From 0.5 copy 0 ends at 2.5, after two steps of 1; copy 1 stands still to the horizon."""
    game = Counter()
    game._begin = lambda copies, seed: {"state": torch.full((len(copies), 1), 0.5)}
    game.reset(2, 0)
    steps = [game.step(torch.tensor([[1.0], [0.0]])) for _ in range(5)]
    assert [s.reward.tolist() for s in steps] == [
        [1.5, 0.5], [2.5, 0.5], [0.0, 0.5], [0.0, 0.5], [0.0, 0.0],
    ]  # fmt: skip
    assert [s.state[0].item() for s in steps] == [1.5, 2.5, 2.5, 2.5, 2.5]
    assert [s.terminated.tolist() for s in steps] == [[False, False]] + [[True, False]] * 4
    assert [s.truncated.tolist() for s in steps] == [[False, False]] * 3 + [[False, True]] * 2


def test_no_game_goes_on_for_ever():
    class Endless(Counter):
        def _play(self, now, u, running):
            never = torch.zeros_like(running)
            return u[:, 0], {"terminated": never, "truncated": never, "clock": never.long()}

    game = Endless()
    game.reset(2, 0)
    ended = [game.step(torch.zeros(2, 1)).truncated.tolist() for _ in range(4)]
    assert ended == [[False, False]] * 3 + [[True, True]]
    with pytest.raises(TypeError, match="Own must say it in _play, got a step of its own"):
        type("Own", (Counter,), {"step": lambda self, u: None})
    game.horizon = float("inf")
    with pytest.raises(ValueError, match="horizon must be a whole number of at least 1, got inf"):
        game.reset(1, 0)


@pytest.mark.parametrize(
    "make", [Counter, lambda: particle_gather(random_starts=True, horizon=6), Fine]
)
def test_copies_with_restarts_play_as_single_games_with_those_seeds(make):
    """Copy k is restarted with seeds of its own now and then; alone it plays the same episodes."""
    game, alone, seeds = make(), [make() for _ in range(3)], itertools.count(10)
    states = game.reset(3, 1)
    for copy, single in enumerate(alone):
        seed = next(seeds)
        states = game.restart(restarted(copy), seed)
        assert torch.equal(states[copy], single.reset(1, seed)[0])
    noise = torch.Generator().manual_seed(0)
    for _ in range(30):
        u = 2 * torch.rand(3, sum(game.action_sizes), generator=noise) - 1
        step = game.step(u)
        for copy, single in enumerate(alone):
            told = single.step(u[copy : copy + 1])
            for name in ("state", "reward", "terminated", "truncated"):
                assert torch.equal(getattr(step, name)[copy], getattr(told, name)[0])
            if (step.terminated | step.truncated)[copy] or torch.rand(1, generator=noise) < 0.1:
                seed = next(seeds)
                states = game.restart(restarted(copy), seed)
                assert torch.equal(states[copy], single.reset(1, seed)[0])


def test_nobody_is_restarted_where_nobody_is_named():
    game = Counter()
    state = game.reset(3, 0)
    assert torch.equal(game.restart(restarted(), 5), state)


def test_a_game_under_way_goes_on_where_it_was_saved():
    first, second = (particle_gather(end_on_solo=False) for _ in range(2))
    u = 2 * torch.rand(20, 4, 4, generator=torch.Generator().manual_seed(0)) - 1
    first.reset(4, 0)
    for row in u[:8]:
        first.step(row)
    first.restart(restarted(2, n=4), 3)
    second.load_state_dict(first.state_dict())
    for row in u[8:]:
        one, other = first.step(row), second.step(row)
        assert torch.equal(one.state, other.state) and torch.equal(one.reward, other.reward)
        assert torch.equal(one.truncated, other.truncated)


def test_what_was_saved_stays_as_it_was():
    game = Counter()
    game.reset(1, 0)
    saved = game.state_dict()
    before = saved["state"].clone()
    game._now["state"].zero_()
    assert torch.equal(saved["state"], before)


def test_a_closed_game_has_no_copies():
    game = Counter()
    game.reset(2, 0)
    game.close()
    with pytest.raises(ValueError, match="each of the 0 copies"):
        game.step(torch.zeros(2, 1))


# --- rules ---------------------------------------------------------------------------------------


def test_rules_of_a_game_of_ones_own_are_its_code_and_what_is_public_in_it():
    class Slow(Counter):
        speed = 0.5

        def __init__(self, goal=2.0):
            self.goal = goal

    class Fast(Slow):
        speed = 1.0

    class Late(Slow):
        def _play(self, now, u, running):
            return u[:, 0] * 0.5, {}

    told = [game.rules() for game in (Slow(), Slow(3.0), Fast(), Late(), Counter(), Fine())]
    assert all(one != other for i, one in enumerate(told) for other in told[i + 1 :])
    assert told[0] == Slow().rules() == as_data(told[0])
    assert (told[1]["goal"], told[2]["speed"], told[2]["horizon"]) == (3.0, 1.0, 4)


def test_code_written_anew_makes_other_rules():
    """As when a class is edited: one name, one module, another payoff."""

    def written(pay):
        class Edited(Counter):
            _play = pay

        return Edited()

    def one(self, now, u, running):
        return u[:, 0], {}

    def other(self, now, u, running):
        return -u[:, 0], {}

    assert written(one).rules() == written(one).rules() != written(other).rules()


def test_code_that_only_the_class_itself_calls_belongs_to_the_rules():
    def written(worth, helped):
        class Edited(Counter):
            _worth, help = property(worth), classmethod(helped)
            _kept = cached_property(worth)

        return Edited().rules()

    def one(self):
        return 1

    def other(self):
        return 2

    assert len({written(a, b)["code"] for a in (one, other) for b in (one, other)}) == 4


def test_playing_changes_no_rules():
    game = Counter()
    before = game.rules()
    game.reset(2, 0)
    game.step(torch.zeros(2, 1))
    assert game.rules() == before


def test_a_game_whose_code_no_file_holds_must_say_its_rules():
    spaces = {"Counter": Counter, "__name__": "nowhere"}
    exec("class Typed(Counter):\n    def _play(self, now, u, running):\n        pass", spaces)
    with pytest.raises(ValueError, match=r"Typed must have rules\(\)"):
        spaces["Typed"]().rules()


def test_data_are_what_json_can_hold():
    data = as_data({"a": torch.tensor([1, 2]), "b": (0.5, float("inf")), "c": {2, 1}, "d": Fine})
    assert data == {"a": [1, 2], "b": [0.5, "Infinity"], "c": [1, 2], "d": repr(Fine)}


def test_nothing_is_known_of_what_can_be_earned_unless_a_game_says_so():
    assert max_of_three(2.0).return_bounds == (-float("inf"), float("inf"))


def test_nothing_is_known_of_the_symmetries_of_a_game_unless_it_says_so():
    maps = max_of_three(2.0).symmetries()
    assert maps.state.tolist() == [[[1.0]]] and torch.equal(maps.u, torch.eye(3).unsqueeze(0))
    assert torch.equal(maps.agents, torch.eye(3).unsqueeze(0))
