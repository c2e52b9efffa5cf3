"""A learner's state as one flat table of tensors, which files without pickles can hold."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def gather(**parts: nn.Module | torch.optim.Optimizer | torch.Generator) -> dict[str, Tensor]:
    """The state of modules, optimizers and generators, keyed "part.name"."""
    table: dict[str, Tensor] = {}
    for part, owner in parts.items():
        for name, value in _state_of(owner).items():
            table[f"{part}.{name}"] = value.detach().clone()
    return table


def restore(
    table: Mapping[str, Tensor], **parts: nn.Module | torch.optim.Optimizer | torch.Generator
) -> None:
    """Put a table made by `gather` back into the same parts.

    Raises:
        ValueError: if the table lacks a part.
    """
    for part, owner in parts.items():
        prefix = f"{part}."
        found = {k.removeprefix(prefix): v for k, v in table.items() if k.startswith(prefix)}
        if not found and not isinstance(owner, torch.optim.Optimizer):
            raise ValueError(f"state must hold {part!r}, got {sorted(table)[:5]} …")
        _load(owner, found)


def _state_of(owner: nn.Module | torch.optim.Optimizer | torch.Generator) -> Mapping[str, Tensor]:
    if isinstance(owner, nn.Module):
        return owner.state_dict()
    if isinstance(owner, torch.Generator):
        return {"state": owner.get_state()}
    moments = owner.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, values in moments.items()
        for name, value in values.items()
    }


def _load(
    owner: nn.Module | torch.optim.Optimizer | torch.Generator, table: dict[str, Tensor]
) -> None:
    if isinstance(owner, nn.Module):
        owner.load_state_dict(table)
    elif isinstance(owner, torch.Generator):
        owner.set_state(table["state"])
    else:
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in table.items():
            index, name = key.split(".", 1)
            moments.setdefault(int(index), {})[name] = value.clone()
        owner.load_state_dict(owner.state_dict() | {"state": moments})
