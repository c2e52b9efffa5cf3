"""A learner's state as one flat table of tensors, which files without pickles can hold."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

Part = nn.Module | torch.Generator


def gather(**parts: Part) -> dict[str, Tensor]:
    """The state of modules and generators, keyed "part.name"."""
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
        prefix = f"{part}."
        found = {k.removeprefix(prefix): v for k, v in table.items() if k.startswith(prefix)}
        if not found:
            raise ValueError(f"state must hold {part!r}, got {sorted(table)[:5]} …")
        if isinstance(owner, torch.Generator):
            owner.set_state(found["state"])
        else:
            owner.load_state_dict(found)


def _state_of(owner: Part) -> Mapping[str, Tensor]:
    return (
        {"state": owner.get_state()} if isinstance(owner, torch.Generator) else owner.state_dict()
    )
