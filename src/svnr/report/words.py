"""Words for what tables say, so that a Finding is computed."""

import re
from collections.abc import Iterable
from typing import SupportsFloat


def listed(names: Iterable[str], none: str = "none") -> str:
    """Names as a sentence has them: "a", "a and b", "a, b and c"."""
    *rest, last = list(names) or [none]
    return f"{', '.join(rest)} and {last}" if rest else last


def counted(n: int, noun: str) -> str:
    """A number and its noun, with an s where there are several: "1 seed", "5 seeds"."""
    return f"{n} {noun}{'s' * (n != 1)}"


def held(holds: bool) -> str:
    """Whether a statement holds, as its predicate."""
    return "holds" if holds else "does not hold"


def number(x: SupportsFloat, digits: int = 2) -> str:
    """A rounded number; what rounds to 0 has no sign: "0.00"."""
    return f"{round(float(x), digits) + 0.0:.{digits}f}"


def minus(text: str) -> str:
    """A text whose negative numbers have a minus sign in place of a hyphen."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)
