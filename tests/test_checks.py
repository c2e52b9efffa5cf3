from dataclasses import FrozenInstanceError, dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

import numpy as np
import pytest

from svnr.checks import (
    Count,
    Interval,
    NotNegative,
    Positive,
    Settings,
    Share,
    Whole,
    Widths,
    added,
    changed,
    check_agent,
    check_count,
    check_distribution,
    check_joint_action,
    check_one_of,
    check_payoff,
    fitted,
    plain,
)

# --- whole numbers and names ---------------------------------------------------------------------


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_a_count_is_a_whole_number_of_whatever_type(value):
    assert check_count("n", value) == 3 and type(check_count("n", value)) is int


@pytest.mark.parametrize("value", [0, -1, 1.0, np.float64(2), True, np.True_, "3", None, np.nan])
def test_other_counts_are_refused(value):
    with pytest.raises(ValueError, match=r"^n must be a whole number of at least 1, got "):
        check_count("n", value)


def test_a_count_may_begin_elsewhere():
    assert check_count("n", 0, least=0) == 0
    with pytest.raises(ValueError, match="n must be a whole number of at least 2, got 1"):
        check_count("n", 1, least=2)


def test_what_is_allowed_comes_back_and_of_the_rest_the_nearest_is_named():
    assert check_one_of("game", "climbing", ["climbing", "penalty"]) == "climbing"
    assert check_one_of("game", "b", {"a": 1, "b": 2}) == "b"
    with pytest.raises(ValueError) as error:
        check_one_of("game", "climbign", ["climbing", "penalty"])
    assert str(error.value) == (
        "game must be one of climbing, penalty, got 'climbign' (did you mean 'climbing'?)"
    )


def test_where_nothing_is_near_nothing_is_meant():
    with pytest.raises(ValueError, match=r"^n must be one of 1, 2, got 'many'$"):
        check_one_of("n", "many", iter([1, 2]))
    with pytest.raises(ValueError, match=r"must be one of 1, 2, got \[3\]$"):
        check_one_of("n", [3], (1, 2))


# --- intervals and types -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "inside", "outside", "text"),
    [
        (Interval(0, 1), (0, 0.5, 1), (-1e-9, 1.1), "[0, 1]"),
        (Interval(0, 1, low_open=True), (1e-9, 1), (0, 1.1), "(0, 1]"),
        (Interval(0, 1, high_open=True), (0, 0.5), (-1, 1), "[0, 1)"),
        (Interval(low=2), (2, 1e9), (1.9, -np.inf), "[2, inf]"),
        (Interval(), (-1e300, 0, 1e300), (np.nan,), "[-inf, inf]"),
    ],
)
def test_intervals_hold_what_lies_between_their_ends(interval, inside, outside, text):
    assert all(x in interval for x in inside) and not any(x in interval for x in outside)
    assert str(interval) == text


@pytest.mark.parametrize(
    ("value", "wanted", "result"),
    [
        (10, Positive, 10.0),
        (np.float32(0.5), Share, 0.5),
        (Fraction(1, 4), float, 0.25),
        (np.int64(3), Count, 3),
        (0, Whole, 0),
        (np.True_, bool, True),
        ("a", str, "a"),
        ("off", Literal["on", "off"], "off"),
        (None, Share | None, None),
        (1, Share | None, 1.0),
        ([64, np.int64(32)], Widths, (64, 32)),
        ((1, 2), tuple[float, int], (1.0, 2)),
        ([[1, 2], [3, 4]], tuple[tuple[float, float], ...], ((1.0, 2.0), (3.0, 4.0))),
        (frozenset({1}), frozenset[int], frozenset({1})),
    ],
)
def test_values_come_in_the_form_that_their_type_asks_for(value, wanted, result):
    found = fitted("x", value, wanted)
    assert found == result and type(found) is type(result)


@pytest.mark.parametrize(
    ("value", "wanted", "message"),
    [
        (0, Positive, r"x must be a number in \(0, inf\], got 0.0"),
        (-1e-9, NotNegative, r"x must be a number in \[0, inf\], got -1e-09"),
        (5, Share, r"x must be a number in \[0, 1\], got 5.0"),
        (0, Count, r"x must be a whole number in \[1, inf\], got 0"),
        (1, Annotated[float, Interval(0, 1, high_open=True)], r"in \[0, 1\), got 1.0"),
        (np.nan, float, "x must be a finite number, got nan"),
        (float("inf"), Positive, "x must be a finite number, got inf"),
        (True, float, "x must be a finite number, got True"),
        ("1", float, "x must be a finite number, got '1'"),
        (Decimal(1), float, "x must be a finite number, got Decimal"),
        (1.0, int, "x must be a whole number, got 1.0"),
        (True, int, "x must be a whole number, got True"),
        (1, bool, "x must be True or False, got 1"),
        (1, str, "x must be text, got 1"),
        ("of", Literal["on", "off"], r"x must be one of on, off, got 'of' \(did you mean 'off'\?"),
        ("a", Share | None, "x must be a finite number, got 'a'"),
        ((), Widths, r"x must be a tuple that is not empty, got \(\)"),
        (64, Widths, "x must be a tuple that is not empty, got 64"),
        ((64, 0), Widths, r"x\[1\] must be a whole number in \[1, inf\], got 0"),
        ((1,), tuple[float, int], r"x must hold 2 values, got \(1,\)"),
        (([1, "b"],), tuple[tuple[float, float], ...], r"x\[0\]\[1\] must be a finite number"),
    ],
)
def test_values_that_do_not_fit_are_refused(value, wanted, message):
    with pytest.raises(ValueError, match=message):
        fitted("x", value, wanted)


# --- settings ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Some(Settings):
    rate: Positive = 0.5
    hidden: Widths = (64,)
    how: Literal["fast", "slow"] = "fast"
    layer_norm: bool = False
    limit: Share | None = None


@dataclass(frozen=True, kw_only=True)
class More(Some):
    n: Count = 3


def test_equal_settings_are_equal_however_they_were_spelt():
    one = More(rate=10, hidden=[64, np.int64(32)], limit=1, n=np.int32(4))
    other = More(rate=np.float64(10.0), hidden=(64, 32), limit=1.0, n=4)
    assert one == other and hash(one) == hash(other) and repr(one) == repr(other)
    assert one.plain() == {
        "rate": 10.0, "hidden": [64, 32], "how": "fast",
        "layer_norm": False, "limit": 1.0, "n": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": 0}, r"rate must be a number in \(0, inf\], got 0.0"),
        ({"hidden": ()}, "hidden must be a tuple that is not empty"),
        ({"hidden": (0,)}, r"hidden\[0\] must be a whole number in \[1, inf\], got 0"),
        ({"how": "slwo"}, r"how must be one of fast, slow, got 'slwo' \(did you mean 'slow'\?\)"),
        ({"layer_norm": 1}, "layer_norm must be True or False, got 1"),
        ({"limit": 2}, r"limit must be a number in \[0, 1\], got 2.0"),
        ({"n": 1.5}, "n must be a whole number, got 1.5"),
    ],
)
def test_settings_name_what_does_not_fit(changes, message):
    for make in (More, lambda **given: changed(More(), given), lambda **g: replace(More(), **g)):
        with pytest.raises(ValueError, match=message):
            make(**changes)


def test_a_setting_that_was_added_later_is_not_spoken_of_where_it_is_left_alone():
    @dataclass(frozen=True, kw_only=True)
    class Later(More):
        momentum: Share = added(0.5)

    assert Later().plain() == Later(momentum=0.5).plain() == More().plain()
    assert Later(momentum=0).plain() == {**More().plain(), "momentum": 0.0}
    assert Later() != Later(momentum=0)


def test_settings_are_changed_by_name_and_stay_as_they_were():
    before = More()
    after = changed(before, {"rate": 2, "n": 5})
    assert (after.rate, after.n, after.hidden) == (2.0, 5, (64,)) and before == More()
    assert type(after) is More and changed(before, {}) == before
    with pytest.raises(
        ValueError, match=r"setting must be one of .*, got 'rat' \(did you mean 'r"
    ):
        changed(before, {"rat": 1})
    with pytest.raises(FrozenInstanceError):
        before.rate = 1.0


def test_plain_values_are_what_json_holds():
    given = {1: (np.float64(0.5), [np.int64(2)]), "sets": frozenset({2, 0}), "no": None}
    assert plain(given) == {"1": [0.5, [2]], "sets": [0, 2], "no": None}
    assert type(plain(np.float32(0.5))) is float and type(plain(np.bool_(True))) is bool


# --- what finite games are made of -----------------------------------------------------------


def test_payoffs_and_distributions_become_arrays_of_floats():
    assert check_payoff([[1, 2], [3, 4]]).dtype == float
    assert check_distribution([1, 0], "p", (2,)).tolist() == [1.0, 0.0]
    assert check_distribution([0.5, 0.5 + 9e-9], "p").shape == (2,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_payoff(1.0), r"q must have one axis .*, got shape \(\)"),
        (lambda: check_payoff(np.ones((2, 0))), r"q must have one axis .*, got shape \(2, 0\)"),
        (lambda: check_payoff([1, np.inf], "reward"), "reward must be finite, got inf"),
        (lambda: check_payoff([1, np.nan]), "q must be finite, got nan"),
        (
            lambda: check_distribution([0.5, 0.5], "p", (3,)),
            r"p must have shape \(3,\), got \(2,\)",
        ),
        (lambda: check_distribution([1.5, -0.5], "p"), "p must not hold negative numbers or NaN"),
        (lambda: check_distribution([np.nan, 1], "p"), "p must not hold .* NaN, got nan"),
        (
            lambda: check_distribution([0.5, 0.5 + 1e-7], "p"),
            "p must sum to 1 within 1e-8",
        ),
        (lambda: check_agent(2, 2), r"agent must be a whole number in \[0, 1\], got 2"),
        (
            lambda: check_agent(-1, 2, "centre"),
            r"centre must be .* \[0, 1\], got -1",
        ),
        (lambda: check_agent(1.0, 2), "agent must be a whole number, got 1.0"),
        (lambda: check_agent(True, 2), "agent must be a whole number, got True"),
        (lambda: check_joint_action("u", [0, 2], (2, 2)), r"u\[1\] must be .* \[0, 1\], got 2"),
        (lambda: check_joint_action("u", [0], (2, 2)), r"u must hold 2 values, got \(0,\)"),
        (lambda: check_joint_action("u", [], (2,)), r"u must be a tuple that is not empty"),
    ],
)
def test_what_makes_no_game_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_agents_and_joint_actions_become_ints():
    assert type(check_agent(np.int64(1), 2)) is int
    u = check_joint_action("u", np.array([1, 2]), (2, 3))
    assert u == (1, 2) and all(type(a) is int for a in u)
