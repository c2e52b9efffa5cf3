import math

import numpy as np
import pytest
import torch

from svnr.games.check import check_game
from svnr.games.game import Game, OneShotGame, Outcome, Symmetries


class Walk(Game):
    """Three steps; the clock truncates the last. Each flaw breaks one thing."""

    name, action_sizes, state_size, horizon = "walk", (1,), 1, 3

    def __init__(self, flaw=""):
        self.flaw = flaw
        self.action_sizes = {"no agents": (), "no actions": (1, 0)}.get(flaw, (1,))
        self.horizon = 0 if flaw == "horizon" else 3

    def rules(self):
        self._asked = getattr(self, "_asked", 0) + 1
        extra = {
            "address": object.__repr__(self),
            "tuple rules": (1, 2),
            "NaN rules": float("nan"),
            "tensor rules": torch.zeros(2),
            "restless rules": self._asked,
        }
        return {"steps": 3, "extra": extra.get(self.flaw)}

    def _begin(self, copies, seed):
        noise = torch.Generator().manual_seed(seed)
        if self.flaw == "unseeded":
            noise.seed()
        size = 2 if self.flaw == "first state" else 1
        state = torch.rand(len(copies), size, generator=noise)
        if self.flaw == "stateless":
            return {}
        return {"state": state + copies[0] * (self.flaw == "by index")}

    def _play(self, now, u, running):
        reward = torch.zeros(len(u))
        state = now["state"]
        flags = {
            "float flags": {"terminated": reward},
            "unknown part": {"stat": state},
            "double state": {"state": state.double()},
            "infinite state": {"state": state + torch.inf},
            "column": {"state": state[:, 0]},
        }
        rewards = {
            "reward shape": reward[:, None],
            "double reward": reward.double(),
            "gradient": reward.requires_grad_(self.flaw == "gradient"),
            "plain reward": 0.0,
            "NaN reward": torch.tensor([0.0, torch.nan] * 2)[: len(u)],
        }
        return rewards.get(self.flaw, reward.detach()), flags.get(self.flaw, {"state": state + u})


class Rash(Walk):
    def restart(self, copies, seed):
        return self.reset(len(copies), seed)


def test_games_that_keep_the_protocol_pass():
    class Fine(OneShotGame):
        name, action_sizes = "fine", (1, 2)

        def reward(self, u):
            return -u.square().sum(-1)

    check_game(Fine())
    check_game(Walk())
    check_game(Walk(), n_copies=1)


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ("no agents", r"action_sizes must be a tuple that is not empty, got \(\)"),
        ("no actions", r"action_sizes\[1\] must be a whole number in .*, got 0"),
        ("horizon", r"horizon must be a whole number in \[1, inf\], got 0"),
        ("unseeded", "reset must give the same states for the same seed"),
        ("first state", r"state must be torch.float32 of shape \[4, 1\], got .* \[4, 2\]"),
        ("stateless", r"state must be torch.float32 of shape \[4, 1\], got NoneType"),
        ("double state", r"state must be torch.float32 of shape \[4, 1\], got torch.float64"),
        ("column", r"state must be torch.float32 of shape \[4, 1\], got .* of shape \[4\]"),
        ("infinite state", "state must be finite, got nan or inf at step 0"),
        ("reward shape", r"reward must be torch.float32 of shape \[4\], got .* \[4, 1\]"),
        ("double reward", r"reward must be torch.float32 of shape \[4\], got torch.float64"),
        ("gradient", r"reward must be .*, got torch.float32 of shape \[4\] with a gradient"),
        ("plain reward", r"reward must be torch.float32 of shape \[4\], got float"),
        ("NaN reward", "reward must be finite, got nan in copy 1 at step 0"),
        ("float flags", r"terminated must be torch.bool of shape \[4\], got torch.float32"),
        ("unknown part", r"what walk plays must be one of .* \(did you mean 'state'\?\)"),
        ("by index", r"restart must start one copy as reset\(1, seed\) \(what a copy .*, got"),
        ("address", "rules must be plain data, the same at every call, got .* at 0x"),
        ("tuple rules", r"rules must be plain data, .* got .*\(1, 2\)"),
        ("NaN rules", "rules must be plain data, .* got .*nan"),
        ("tensor rules", "rules must be plain data, .* got .*tensor"),
        ("restless rules", "rules must be plain data, the same at every call"),
    ],
)
def test_a_broken_game_is_told_in_words_what_is_wrong(flaw, message):
    with pytest.raises(ValueError, match=message):
        check_game(Walk(flaw))


class Sum(OneShotGame):
    """Pays the sum of two agents' numbers; each subclass breaks one thing."""

    name, action_sizes = "sum", (1, 1)

    def reward(self, u):
        return u.sum(-1)


def column(copies):
    return torch.zeros(len(copies), 1)


def broken(**parts):
    return type("Broken", (Sum,), parts)()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"return_bounds": (5.0, -2.0)},
            "return_bounds must be two numbers, least and most, got .5.0",
        ),
        ({"return_bounds": (math.nan, 5.0)}, "return_bounds must be two numbers, least and most"),
        ({"return_bounds": 3.0}, "return_bounds must be two numbers, least and most, got 3.0"),
        ({"return_bounds": ("low", "high")}, "return_bounds must be two numbers, least and most"),
        ({"name": ".."}, r"name must be the name of a folder, got '\.\.'"),
        ({"name": "a/b"}, "name must be the name of a folder, got 'a/b'"),
        ({"reward": lambda self, u: u.mul_(2).sum(-1)}, "_play must not change u in place"),
        (
            {"_play": lambda self, now, u, running: (now["state"].add_(1).sum(-1), {})},
            "_play must not change state in place",
        ),
        ({"_play": lambda self, now, u, running: None}, r"_play must return rewards and \{name"),
        (
            {"_play": lambda self, now, u, running: (u.sum(-1), now["state"])},
            r"_play must return rewards and .*, got .*float32 of shape .*, .*\[4, 1\]",
        ),
        (
            {"reward": lambda self, u: u.sum(-1) + torch.randn(u.shape[:-1])},
            "chance must come from the seed of _begin, got torch's global generator",
        ),
        (
            {
                "_begin": lambda self, copies, seed: {
                    "state": torch.full((len(copies), 1), torch.nan)
                }
            },
            "state must be finite, got nan or inf at reset",
        ),
        (
            {
                "_begin": lambda self, copies, seed: {
                    "state": torch.zeros(len(copies), 1),
                    "clock": 0,
                }
            },
            "_begin must name what is the game's own, got 'clock'",
        ),
        (
            {
                "_begin": lambda self, copies, seed: {
                    "state": torch.zeros(len(copies), 1),
                    "wind": 3,
                }
            },
            "wind must be a tensor with a row for each of 4 copies, got int",
        ),
        (
            {"symmetries": lambda self: Symmetries(*(torch.eye(n)[None] for n in (1, 3, 2)))},
            r"u of symmetries must be maps \[G, 2, 2\], got shape \[1, 3, 3\]",
        ),
    ],
)
def test_what_would_spoil_a_training_unseen_is_found(parts, message):
    check_game(Sum())
    with pytest.raises(ValueError, match=message):
        check_game(broken(**parts))


def test_a_game_whose_products_round_otherwise_alone_passes():
    class Linear(Game):
        name, action_sizes, state_size, horizon = "linear", (2, 2), 17, 3
        ways = torch.randn(17, 17, generator=torch.Generator().manual_seed(0))

        def _begin(self, copies, seed):
            draws = torch.Generator().manual_seed(seed)
            state = torch.randn(1, 17, generator=draws).expand(len(copies), -1).clone()
            return {"state": state, "best": torch.full((len(copies),), torch.nan)}

        def _play(self, now, u, running):
            state = now["state"] @ self.ways + u.sum(-1, keepdim=True)
            return state.sum(-1).tanh(), {"state": state}

    check_game(Linear())


def test_a_copy_that_remembers_outside_its_rows_is_found():
    class Leak(Walk):
        def _begin(self, copies, seed):
            begun = super()._begin(copies, seed)
            self._walked = torch.zeros(len(copies), 1)
            return begun

        def _play(self, now, u, running):
            if len(self._walked) < len(u):  # after a restart of one copy
                self._walked = torch.full((len(u), 1), 5.0)
            self._walked = self._walked + 1
            return torch.zeros(len(u)), {"state": now["state"] + self._walked}

    with pytest.raises(ValueError, match=r"restart must start one copy as reset\(1, seed\)"):
        check_game(Leak())


def test_a_restart_that_moves_the_others_is_found():
    with pytest.raises(ValueError, match="restart must leave the other copies as they are"):
        check_game(Rash())


def test_rules_that_change_in_play_are_found():
    class Tiring(Walk):
        def rules(self):
            return {"strength": float(self._now.get("clock", torch.zeros(1)).sum())}

    with pytest.raises(ValueError, match=r"rules must not change in play \(what a copy has"):
        check_game(Tiring())


def test_a_missing_part_is_named():
    class Nameless(OneShotGame):
        action_sizes = (1,)

        def reward(self, u):
            return u[..., 0]

    with pytest.raises(ValueError, match="game must have 'name', got Nameless without it"):
        check_game(Nameless())
    with pytest.raises(ValueError, match="game must be a Game, got object"):
        check_game(object())
    with pytest.raises(ValueError, match="game must be a Game, got the class Walk"):
        check_game(Walk)


class Wander(Walk):
    """Three steps whose memory lies where a reader of Gym would put it."""

    def _begin(self, copies, seed):
        self._place = torch.zeros(len(copies), 1)
        self._steps = 0
        return {"state": self._place}


def test_a_copy_that_notices_another_begin_is_found():
    class Private(Wander):
        def _play(self, now, u, running):
            self._place = self._place + u  # of all copies, until one begins anew
            return self._place.sum(-1), {"state": self._place}

    with pytest.raises(
        ValueError,
        match=r"state must stay what it is where another copy begins anew .*, got .*, step 1",
    ):
        check_game(Private())


def test_chance_that_no_seed_decides_is_found_wherever_it_comes_from():
    class Numpy(Walk):
        def _play(self, now, u, running):
            noise = torch.as_tensor(np.random.default_rng().normal(size=len(u)), dtype=u.dtype)
            return noise, {"state": now["state"] + u}

    with pytest.raises(
        ValueError, match="reward must stay what it is where the same is played again"
    ):
        check_game(Numpy())


def test_chance_that_copies_share_is_found_and_told_where_it_belongs():
    class Shared(Walk):
        def _begin(self, copies, seed):
            self._noise = torch.Generator().manual_seed(seed)
            return super()._begin(copies, seed)

        def _play(self, now, u, running):
            noise = torch.randn(u.shape, generator=self._noise)
            return torch.zeros(len(u)), {"state": now["state"] + noise}

    with pytest.raises(ValueError, match="what a copy has, chance included, is kept in what"):
        check_game(Shared())


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"return_bounds": (5.0, 6.0)},
            r"return_bounds must hold what is paid at an end, .*, got \(5.0, 6.0\)",
        ),
        (
            {"optimum": Outcome((1.0, 1.0), 3.0)},
            "optimum must be worth what it pays, 2, got 3",
        ),
        ({"trap": Outcome((1.0,), 1.0)}, "u must have a row of 2 for each of the 1 copies"),
        ({"optimum": Outcome((1.0, 2.0), 3.0)}, r"u must lie in \[-1, 1\], got 2.0"),
        ({"optimum": 2.0}, "optimum must be an Outcome or None, got float"),
        ({"n_agents": 3}, "n_agents must be 2, one for each of action_sizes, got 3"),
    ],
)
def test_what_a_game_says_of_itself_must_be_so(parts, message):
    check_game(broken(return_bounds=(-2.0, 2.0), optimum=Outcome((1.0, 1.0), 2.0)))
    with pytest.raises(ValueError, match=message):
        check_game(broken(**parts))


def test_what_is_paid_where_the_clock_cuts_says_nothing_of_what_can_be_earned():
    """1 a step for ever is worth 10 at γ = 0.9, and that is what bounds speak of."""

    class Endless(Walk):
        return_bounds = (5.0, 10.0)

        def _play(self, now, u, running):
            return torch.ones(len(u)), {"state": now["state"]}

    check_game(Endless())


def test_a_count_that_all_copies_share_is_found_however_late_it_matters():
    class Late(Walk):
        def __init__(self):
            super().__init__()
            self.horizon = 8

        def _begin(self, copies, seed):
            self._steps = 0
            return super()._begin(copies, seed)

        def _play(self, now, u, running):
            self._steps += 1  # of all copies, until one begins anew
            over = torch.full((len(u),), self._steps >= 6)
            return torch.zeros(len(u)), {"state": now["state"], "terminated": over}

    with pytest.raises(ValueError, match="terminated must stay what it is where another copy"):
        check_game(Late())


def test_who_trains_without_keeping_may_play_what_is_never_the_same():
    class Noisy(Walk):
        def rules(self):
            raise ValueError("no file has its code")

        def _play(self, now, u, running):
            noise = np.random.default_rng().normal(size=len(u))
            return torch.as_tensor(noise, dtype=u.dtype), {"state": now["state"] + u}

    check_game(Noisy(), repeatable=False)
    with pytest.raises(ValueError, match="no file has its code"):
        check_game(Noisy())
