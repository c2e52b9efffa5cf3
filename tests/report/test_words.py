import pytest

from svnr.report import words


@pytest.mark.parametrize(
    ("names", "text"), [("", "none"), ("a", "a"), ("ab", "a and b"), ("abc", "a, b and c")]
)
def test_names_are_listed_as_in_a_sentence(names, text):
    assert words.listed(names) == text


def test_nouns_follow_their_number():
    assert [words.counted(n, "seed") for n in (0, 1, 5)] == ["0 seeds", "1 seed", "5 seeds"]
    assert [words.held(holds) for holds in (True, False)] == ["holds", "does not hold"]


def test_what_rounds_to_zero_has_no_sign():
    assert [words.number(x) for x in (-0.004, -0.006, 1)] == ["0.00", "-0.01", "1.00"]
    assert words.number(-0.4, 0) == "0"


def test_negative_numbers_have_a_minus_and_names_keep_their_hyphen():
    assert words.minus("L-MADRL -0.5 (-2 to 1)") == "L-MADRL −0.5 (−2 to 1)"
    assert words.minus("networks of 100-100") == "networks of 100-100"
