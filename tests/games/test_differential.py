import math

import pytest
import torch

from svnr.games.check import check_game
from svnr.games.differential import (
    DifferentialGame,
    Hill,
    max_of,
    max_of_three,
    max_of_two,
    two_modalities,
)

WIDTHS = (1.5, 2.0, 3.0)


def pay(game, *actions):
    """The reward of a joint action in the game's units, −10 to 10."""
    game.reset(1, 0)
    return game.step(torch.tensor([actions]) / 10).reward.item()


def climb(game, start, rounds=20, points=401):
    """Coordinate-wise best replies: a team that thinks one agent at a time."""
    u = torch.tensor(start).clone()
    replies = torch.linspace(-1, 1, points)
    for _ in range(rounds):
        for i in range(len(u)):
            tried = u.expand(points, -1).clone()
            tried[:, i] = replies
            u = tried[game.reward(tried).argmax()]
    return u


def test_printed_payoff_by_hand():
    # At the origin, s₂ = 2: g₁ = −0.8 (25 + 25 + 9) / 9 = −5.2444, g₂ = 10 − 114 / 4 = −18.5.
    assert pay(max_of_three(2.0), 0.0, 0.0, 0.0) == pytest.approx(-5.24444, abs=1e-4)
    # At (7, 7, −2): g₂ = 10 − (2 / 2)² = 9.
    assert pay(max_of_three(2.0), 7.0, 7.0, -2.0) == pytest.approx(9.0, abs=1e-4)
    # Two Modalities at (−5, −5, 0): 10 − 0.8 · 9 / 9 = 9.2.
    assert pay(two_modalities(), -5.0, -5.0, 0.0) == pytest.approx(9.2, abs=1e-4)


def test_the_public_codes_payoff_by_hand():
    # Divided by s, not s², and z₂ = −3: at (7, 7, −1), s₂ = 2: 10 − 4 / 2 = 8.
    assert pay(max_of_three(2.0, form="code"), 7.0, 7.0, -1.0) == pytest.approx(8.0, abs=1e-4)
    # g₁ at (−5, −5, 0): −0.8 · 9 / 3 = −2.4.
    assert pay(max_of_three(2.0, form="code"), -5.0, -5.0, 0.0) == pytest.approx(-2.4, abs=1e-4)


@pytest.mark.parametrize("form", ["printed", "code"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_best_team_earns_ten_and_the_trapped_team_nothing(width, form):
    game = max_of_three(width, form)
    for peak, worth in ((game.optimum, 10.0), (game.trap, 0.0)):
        assert peak.reward == worth
        earned = game.reward(torch.tensor(peak.u)).item()
        assert earned == pytest.approx(worth, abs=1e-4)


@pytest.mark.parametrize("form", ["printed", "code"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nobody_leaves_the_trap_alone(width, form):
    game = max_of_three(width, form)
    assert torch.allclose(climb(game, game.trap.u), torch.tensor(game.trap.u), atol=1e-6)
    assert torch.allclose(climb(game, game.optimum.u), torch.tensor(game.optimum.u), atol=1e-6)


@pytest.mark.parametrize(
    ("form", "shares"), [("printed", (0.046, 0.090, 0.209)), ("code", (0.028, 0.040, 0.064))]
)
def test_random_teams_rarely_meet_the_right_hill(form, shares):
    """A ball of radius s √10 around the peak: 5.6 % of the box at s₂ = 1.5, less what is cut."""
    u = 2 * torch.rand(400_000, 3, generator=torch.Generator().manual_seed(0)) - 1
    for width, share in zip(WIDTHS, shares, strict=True):
        found = (max_of_three(width, form).reward(u) > 0).float().mean().item()
        assert found == pytest.approx(share, abs=0.002)


def test_max_of_three_of_more_agents_repeats_its_peaks():
    game = max_of(5, width=2.0)
    assert game.name == "max_of_5_2.0" and game.action_sizes == (1,) * 5
    assert game.optimum.u == pytest.approx((0.7, 0.7, -0.4, 0.7, 0.7))
    assert game.trap.u == pytest.approx((-0.5, -0.5, 0.3, -0.5, -0.5))
    assert (game.optimum.reward, game.trap.reward) == (10.0, 0.0)
    # At the origin: g₁ = −0.8 (4 · 25 + 9) / 9 = −9.6889, g₂ = 10 − (4 · 49 + 16) / 4 = −43.
    assert pay(game, *[0.0] * 5) == pytest.approx(-9.68889, abs=1e-4)


def test_max_of_three_agents_is_max_of_three_under_another_name():
    game, printed = max_of(3, width=1.5), max_of_three(1.5)
    assert game.rules() == printed.rules() and game.name == "max_of_3_1.5"


@pytest.mark.parametrize("n_agents", [0, 2.0, True])
def test_a_number_of_agents_is_a_whole_number(n_agents):
    with pytest.raises(ValueError, match="n_agents must be a whole number"):
        max_of(n_agents)


def test_two_modalities_has_two_optima_and_no_trap():
    game = two_modalities()
    assert [peak.reward for peak in game.peaks] == [10.0, 10.0]
    assert game.trap is None


@pytest.mark.parametrize("n", [2, 5])
def test_any_number_of_agents_and_hills(n):
    hills = tuple(Hill(height=1, center=(c,) * n, width=2, offset=c) for c in (-4.0, 0.0, 4.0))
    game = DifferentialGame("three_hills", hills)
    assert game.n_agents == n
    assert [peak.reward for peak in game.peaks] == [4.0, 0.0, -4.0]
    assert game.trap.u == (0.0,) * n


def test_the_reward_is_differentiable():
    u = torch.tensor([[0.7, 0.7, -0.2]], dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(max_of_three(2.0).reward, (u,))


@pytest.mark.parametrize(
    ("hills", "message"),
    [
        ((), r"hills must be a tuple that is not empty, got \(\)"),
        (
            (Hill(height=1, center=(11.0,), width=1, offset=0),),
            r"hills\[0\].center must be 1 values within ±10.0, got \(11.0,\)",
        ),
        (
            (
                Hill(height=1, center=(0.0,), width=1, offset=0),
                Hill(height=1, center=(0.0, 1.0), width=1, offset=0),
            ),
            r"hills\[1\].center must be 1 values within ±10.0, got \(0.0, 1.0\)",
        ),
    ],
)
def test_hills_that_make_no_game_are_refused(hills, message):
    with pytest.raises(ValueError, match=message):
        DifferentialGame("bad", hills)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 0}, r"width must be a number in \(0, inf\], got 0.0"),
        ({"width": math.nan}, "width must be a finite number, got nan"),
        ({"height": math.nan}, "height must be a finite number, got nan"),
        ({"offset": math.inf}, "offset must be a finite number, got inf"),
        ({"center": (0.0, math.nan)}, r"center\[1\] must be a finite number, got nan"),
        ({"center": ()}, r"center must be a tuple that is not empty, got \(\)"),
    ],
)
def test_hills_of_no_numbers_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Hill(**{"height": 1, "center": (0.0,), "width": 1, "offset": 0, **changes})


def test_an_unknown_form_or_a_box_without_a_size_is_refused():
    with pytest.raises(ValueError, match="form must be one of printed, code, got 'squared'"):
        max_of_three(2.0, form="squared")
    with pytest.raises(ValueError, match="half_width must be a finite number, got nan"):
        DifferentialGame("bad", max_of_three(2.0).hills, half_width=math.nan)


def test_games_of_other_numbers_have_other_rules():
    hill = {"height": 1, "center": (0, 0), "width": 1, "offset": 0}
    changed = [{}, {"height": 2}, {"center": (1, 0)}, {"width": 2}, {"offset": 1}]
    games = [DifferentialGame("g", (Hill(**{**hill, **change}),)) for change in changed]
    games += [
        DifferentialGame("g", (Hill(**hill),), half_width=5),
        DifferentialGame("g", (Hill(**hill),), form="code"),
        DifferentialGame("g", (Hill(**hill), Hill(**hill))),
    ]
    told = [game.rules() for game in games]
    assert all(one != other for i, one in enumerate(told) for other in told[i + 1 :])
    assert told[0] == DifferentialGame("h", [Hill(**hill)], half_width=10).rules()
    check_game(games[0])


def test_nearest_peak_counts_them_highest_first():
    game = max_of_three(2.0)  # peaks (7, 7, −4) worth 10 and (−5, −5, 3) worth 0
    u = torch.tensor([[[0.6, 0.7, -0.4], [-0.5, -0.5, 0.3]]])
    assert game.nearest_peak(u).tolist() == [[0, 1]]


def test_steepness_is_height_over_width_by_the_form():
    # 0.8 / 3² and 1 / 2² as printed, 0.8 / 3 and 1 / 2 as in the public code.
    assert max_of_three(2.0).steepness == pytest.approx((0.8 / 9, 0.25))
    assert max_of_three(2.0, form="code").steepness == pytest.approx((0.8 / 3, 0.5))


def test_max_of_two_by_hand():
    # At the origin: g₁ = −0.8 (25 + 25) / 9 = −4.4444, g₂ = 10 − 50 = −40. At (5, 4): 10 − 1 = 9.
    game = max_of_two()
    assert pay(game, 0.0, 0.0) == pytest.approx(-4.44444, abs=1e-4)
    assert pay(game, 5.0, 4.0) == pytest.approx(9.0, abs=1e-4)
    assert (game.optimum.u, game.optimum.reward) == ((0.5, 0.5), 10.0)
    assert (game.trap.u, game.trap.reward) == ((-0.5, -0.5), 0.0)
    # The public code divides by s, 3 in place of 9: −0.8 · 50 / 3 = −13.3333 at the origin.
    assert pay(max_of_two("code"), 0.0, 0.0) == pytest.approx(-13.33333, abs=1e-4)


@pytest.mark.parametrize(("form", "first"), [("printed", 0.284), ("code", -1.985)])
def test_in_max_of_two_the_right_hill_is_hidden_from_who_plays_below(form, first):
    """Where max over u₂ of g₂ − g₁ is 0.

    Printed: u₂ = 5.976, 19.756 − (u₁ − 5)² + 0.0889 (u₁ + 5)² = 0 at u₁ = 0.284.
    """
    game, answers = max_of_two(form), torch.linspace(-1, 1, 2001)
    for own, seen in ((first - 0.01, False), (first + 0.01, True)):
        u = torch.stack([torch.full_like(answers, own / 10), answers], -1)
        assert bool(game.pays_most(u).any()) is seen
