import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svnr.report.statistics import (
    bootstrap_interval,
    contacts,
    interquartile_mean,
    lies_above,
    placed,
    probability_of_improvement,
    smooth,
    tally,
    verdict,
    verdicts,
)


def test_interquartile_mean_by_hand():
    # Of eight scores the lowest two and the highest two go: mean(3, 4, 5, 6) = 4.5.
    assert interquartile_mean(np.array([100, 1, 2, 3, 4, 5, 6, -50.0])) == pytest.approx(3.5)
    assert interquartile_mean(np.array([1, 2, 3, 4, 5, 6, 7, 8.0])) == pytest.approx(4.5)


def test_the_interval_holds_the_mean_and_shrinks_with_runs():
    few, many = np.linspace(0, 10, 5), np.linspace(0, 10, 80)  # of one spread
    for scores in (few, many):
        low, high = bootstrap_interval(scores)
        assert low < interquartile_mean(scores) < high
    width = [np.subtract(*bootstrap_interval(scores)[::-1]) for scores in (few, many)]
    assert width[1] < width[0] / 2


def test_the_interval_of_few_scores_by_hand():
    # Of two scores a quarter of the resamples is twice the lower, a quarter twice the higher.
    assert bootstrap_interval(np.array([0.0, 1.0])) == (0.0, 1.0)
    assert bootstrap_interval(np.array([3.0])) == bootstrap_interval(np.full(5, 3.0)) == (3.0, 3.0)


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="scores must be finite"):
        bootstrap_interval(np.array([1.0, np.nan]))


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=40), st.integers(1, 50))
def test_smooth_is_the_mean_of_the_window_behind(values, window):
    found = smooth(np.array(values), window)
    for t in range(len(values)):
        expected = np.mean(values[max(0, t - window + 1) : t + 1])
        assert found[t] == pytest.approx(expected, abs=1e-9)


def test_the_verdict_follows_the_rule():
    # Paper, SVNR at s₂ = 1.5: 9.71 ± 0.20.
    assert verdict(np.array([9.6, 9.5]), (9.71, 0.20)) == "reproduced"  # 9.55 ≥ 9.51
    assert verdict(np.array([9.5, 9.4]), (9.71, 0.20)) == "lower"  # 9.45 < 9.51
    assert verdict(np.array([9.95]), (9.71, 0.20)) == "higher"  # 9.95 > 9.91


def test_values_are_counted_the_most_frequent_first():
    assert tally(["lower", "higher", "lower"]) == "2 lower, 1 higher"
    assert tally([]) == "none"


def test_verdicts_of_few_seeds_are_told_apart():
    found = ["lower", "reproduced", "lower", "higher"]
    cells = pd.DataFrame({"seeds": [5, 2, 6, 4], "verdict": found})
    told = "with 5 seeds or more: 2 lower; with fewer: 1 reproduced, 1 higher"
    assert verdicts(cells) == told
    assert verdicts(cells[:1]) == "with 5 seeds or more: 1 lower; with fewer: none"


def test_the_chance_to_earn_more_by_hand():
    # Of the pairs of 1, 3 with 1, 2, 4: 1 ties once and wins never; 3 wins over 1 and 2. 2½ of 6.
    upper, lower = np.array([1.0, 3.0]), [1.0, 2.0, 4.0]
    assert probability_of_improvement(upper, lower) == pytest.approx(2.5 / 6)
    assert probability_of_improvement(lower, upper) == pytest.approx(3.5 / 6)


def test_kinds_of_run_are_placed_by_intervals_that_do_not_touch():
    a, b, c = [1.0, 1.5, 2.0, 2.5, 3.0], [10.0, 11.0, 12.0, 13.0, 14.0], [1.5, 2.0, 2.5, 2.0, 2.0]
    earned = {"a": a, "b": b, "c": c, "d": [50.0]}
    assert placed(earned, "a") == {"more": ["b"], "less": [], "not told apart": ["c"]}
    assert placed(earned, "b") == {"more": [], "less": ["a", "c"], "not told apart": []}


def test_a_kind_of_fewer_than_five_seeds_has_no_place_and_is_above_nobody():
    low, high = np.arange(5.0), np.arange(50.0, 55.0)
    earned = {"a": low, "d": high[:1]}
    nowhere = {"more": [], "less": [], "not told apart": []}
    assert placed(earned, "a") == placed(earned, "d") == nowhere
    assert not lies_above(high[:4], low) and not lies_above(high, low[:4])
    assert lies_above(high, low) and not lies_above(low, high)


def test_contacts_are_told_by_what_episodes_paid():
    found = contacts(np.array([5.0, 5.0, -2.0, 0.0]))
    assert found == {"joint": 0.5, "solo": 0.25, "no contact": 0.25, "return": 2.0}


def test_the_interval_is_of_percentiles_of_interquartile_means():
    # Of resamples of 0, 0, 0, 10 with k tens the mean of the middle half is 0, 0, 5, 10, 10; three
    # tens or more come in 13/256 = 5.1 %, so that the upper end is 10.
    assert bootstrap_interval(np.array([0.0, 0.0, 0.0, 10.0])) == (0.0, 10.0)


def test_a_mean_on_the_edge_of_the_papers_spread_is_reproduced():
    assert verdict(np.array([9.51]), (9.71, 0.20)) == "reproduced"
