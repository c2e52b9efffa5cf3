"""The ground: what arguments are checked with, before anything is run or written.

Each check returns its argument in the form that the rest of the package works with, or raises a
`ValueError` that names the argument, what was wanted and what was given.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import Field, asdict, dataclass, field, fields, replace
from math import inf, isfinite
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import ArrayLike


def check_count(name: str, value: Any, least: int = 1) -> int:
    """Return a whole number of at least `least` as an int.

    Raises:
        ValueError: for anything else, True and 1.0 included.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)


def check_one_of(name: str, value: Any, allowed: Iterable[Any]) -> Any:
    """Return the value if it is allowed; otherwise all that are, and the nearest, are named.

    Raises:
        ValueError: if it is not allowed.
    """
    known = list(allowed)
    if value not in known:
        near = difflib.get_close_matches(str(value), map(str, known), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        choices = ", ".join(map(str, known))
        raise ValueError(f"{name} must be one of {choices}, got {value!r}{hint}")
    return value


# --- settings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interval:
    """Where a number must lie; an open end does not belong to it."""

    low: float = -inf
    high: float = inf
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, x: float) -> bool:
        above = self.low < x if self.low_open else self.low <= x
        return above and (x < self.high if self.high_open else x <= self.high)

    def __str__(self) -> str:
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"


Positive = Annotated[float, Interval(0, low_open=True)]
NotNegative = Annotated[float, Interval(0)]
Share = Annotated[float, Interval(0, 1)]
Count = Annotated[int, Interval(1)]
Whole = Annotated[int, Interval(0)]
Widths = tuple[Count, ...]  # of hidden layers, at least one


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Values that are checked by the types they are declared with, and brought to them.

    `rate: Share = 0.5` takes numbers from 0 to 1, `layer_norm: bool` nothing but True and False.
    However they were spelt, equal settings are equal: 10 becomes 10.0, a list a tuple.
    """

    # Pairs of a setting and the one it must not exceed; with a type behind it, it would be one.
    at_most = frozenset[tuple[str, str]]()

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        for name, wanted in get_type_hints(type(self), include_extras=True).items():
            object.__setattr__(self, name, fitted(name, getattr(self, name), wanted))
        for name, limit in sorted(self.at_most):
            value, most = getattr(self, name, None), getattr(self, limit)
            if value is not None and most is not None and value > most:
                raise ValueError(f"{name} must be at most the {limit} of {most}, got {value}")

    def plain(self) -> dict[str, Any]:
        """The settings as JSON can hold them, without what was `added` and is left alone."""
        kept = (each for each in fields(self) if not _left_alone(self, each))
        values = asdict(self)
        return plain({each.name: values[each.name] for each in kept})


def added(default: Any) -> Any:
    """A setting that came after runs were kept: left at this default, it is not spoken of.

    So they are described as they were, and their keys stay. The default must be what was done
    before there was the setting.
    """
    return field(default=default, metadata={"added": True})


def _left_alone(settings: Settings, each: Field[Any]) -> bool:
    return "added" in each.metadata and getattr(settings, each.name) == each.default


def _is_finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # of a whole number that no float can hold
        return False


def fitted(name: str, value: Any, wanted: Any) -> Any:
    """Return the value in the form that a type asks for.

    Args:
        name: what the caller calls it.
        value: what was given.
        wanted: bool, int, float, str, a tuple of them, a `Literal`, one of these or None, or
            `Annotated` with an `Interval`; values of other types pass.

    Raises:
        ValueError: if it does not fit.
    """
    kind, parts = get_origin(wanted), get_args(wanted)
    if kind is Annotated:
        value = fitted(name, value, parts[0])
        if value not in parts[1]:
            what = "a whole number" if parts[0] is int else "a number"
            raise ValueError(f"{name} must be {what} in {parts[1]}, got {value!r}")
        return value
    if kind is Literal:
        return check_one_of(name, value, parts)
    if kind in (Union, UnionType) and NoneType in parts:
        others = [part for part in parts if part is not NoneType]
        return None if value is None else fitted(name, value, others[0])
    if kind is tuple:
        return _fitted_tuple(name, value, parts)
    if wanted in _KINDS:
        accepted, what = _KINDS[wanted]
        good = isinstance(value, accepted) and (wanted is bool or not isinstance(value, bool))
        if not good or (wanted is float and not _is_finite(value)):
            raise ValueError(f"{name} must be {what}, got {value!r}")
        return wanted(value)
    return value


_KINDS: dict[Any, tuple[Any, str]] = {
    bool: ((bool, np.bool_), "True or False"),
    int: (Integral, "a whole number"),
    float: (Real, "a finite number"),
    str: (str, "text"),
}


def _fitted_tuple(name: str, value: Any, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list)) or not value:
        raise ValueError(f"{name} must be a tuple that is not empty, got {value!r}")
    each = parts[:1] * len(value) if parts[-1] is Ellipsis else parts
    if len(each) != len(value):
        raise ValueError(f"{name} must hold {len(each)} values, got {value!r}")
    pairs = enumerate(zip(value, each, strict=True))
    return tuple(fitted(f"{name}[{i}]", item, kind) for i, (item, kind) in pairs)


def plain(value: Any) -> Any:
    """Sets and tuples as lists, numpy's numbers as Python's, so that JSON can hold them."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted(plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def changed(settings: Any, changes: Mapping[str, Any]) -> Any:
    """A copy of a dataclass with some fields changed, by their names.

    Raises:
        ValueError: for a name that it does not have, or a value that does not fit.
    """
    for name in changes:
        check_one_of("setting", name, [each.name for each in fields(settings)])
    return replace(settings, **changes)


# --- what finite games are made of --------------------------------------------------------------


def check_payoff(q: ArrayLike, name: str = "q") -> np.ndarray:
    """Return q as an array of finite numbers with one axis an agent.

    Args:
        q: [A_1, …, A_N] payoff or soft Q of every joint action.
        name: what the caller calls it.

    Raises:
        ValueError: if an axis is missing or empty, or an entry is NaN or infinite.
    """
    array = np.asarray(q, dtype=float)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must have one axis of actions an agent, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    return array


def check_distribution(p: ArrayLike, name: str, shape: Sequence[int] | None = None) -> np.ndarray:
    """Return p as an array of probabilities that sum to one within 1e-8.

    Args:
        p: [...] probabilities, one axis for each agent that they speak of.
        name: what the caller calls it.
        shape: the shape that p must have, if it is known.

    Raises:
        ValueError: if the shape is another one, an entry is negative or NaN, or the sum is not 1.
    """
    array = np.asarray(p, dtype=float)
    if shape is not None and array.shape != tuple(shape):
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
    if (bad := array[~(array >= 0)]).size:
        raise ValueError(f"{name} must not hold negative numbers or NaN, got {bad[0]}")
    if not abs(array.sum() - 1) <= 1e-8:
        raise ValueError(f"{name} must sum to 1 within 1e-8, got {array.sum()}")
    return array


def check_agent(agent: int, n_agents: int, name: str = "agent") -> int:
    """Return the agent's index as an int in 0..N−1.

    Raises:
        ValueError: if there is no such agent.
    """
    return int(fitted(name, agent, Annotated[int, Interval(0, n_agents - 1)]))


def check_joint_action(name: str, u: Iterable[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index of one action of each agent, [N], as ints.

    Raises:
        ValueError: if there are not N of them, or an agent does not have that action.
    """
    kinds = tuple(Annotated[int, Interval(0, size - 1)] for size in shape)
    return tuple(_fitted_tuple(name, tuple(u), kinds))
