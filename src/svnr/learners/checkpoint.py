"""A learner's state as one flat table of tensors, which files without pickles can hold."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import Generator, Tensor


@runtime_checkable
class Stateful(Protocol):
    """What can say its state and go on from it: a module, a memory, a noise path."""

    def state_dict(self) -> dict[str, Any]:
        """The state as tensors."""

    def load_state_dict(self, state: Any) -> Any:
        """Restore what `state_dict` gave."""


T = TypeVar("T")
Part = Stateful | Generator


def gather(**parts: Part) -> dict[str, Tensor]:
    """The state of all parts, keyed "part.name"."""
    return {
        f"{part}.{name}": value.detach().clone()
        for part, owner in parts.items()
        for name, value in _state_of(owner).items()
    }


def restore(table: Mapping[str, Tensor], **parts: Part) -> None:
    """Put a table made by `gather` back into the same parts.

    Raises:
        ValueError: if the table lacks a part.
    """
    for part, owner in parts.items():
        found = below(f"{part}.", table)
        if not found:
            raise ValueError(f"state must hold {part!r}, got {sorted(table)[:5]} …")
        if isinstance(owner, Generator):
            owner.set_state(found["state"])
        else:
            owner.load_state_dict(found)


def below(prefix: str, table: Mapping[str, T]) -> dict[str, T]:
    """The entries whose names begin with `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in table.items() if k.startswith(prefix)}


def _state_of(owner: Part) -> Mapping[str, Tensor]:
    return {"state": owner.get_state()} if isinstance(owner, Generator) else owner.state_dict()
