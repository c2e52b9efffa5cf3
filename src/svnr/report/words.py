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
    return f"{n} {noun}{'s' if n != 1 else ''}"


def held(holds: bool) -> str:
    """Whether a statement holds, as its predicate."""
    return "holds" if holds else "does not hold"


def number(x: SupportsFloat, digits: int = 2) -> str:
    """A rounded number; what rounds to 0 has no sign: "0.00"."""
    return f"{round(float(x), digits) + 0.0:.{digits}f}"


def minus(text: str) -> str:
    """A text whose negative numbers have a minus sign in place of a hyphen."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def renamed(pattern: str, prefix: str, text: str) -> str:
    """A text in which each name that fits a pattern is the prefix and its rank of appearance.

    Names made by chance, or of last bits, would make one picture two files.
    """
    found = {name: str(k) for k, name in enumerate(dict.fromkeys(re.findall(pattern, text)))}
    return re.sub(pattern, lambda name: prefix + found[name[0]], text)
