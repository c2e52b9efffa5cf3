import pytest
import torch
from torch import nn

from svnr.learners.checkpoint import gather, restore


def parts(seed):
    torch.manual_seed(seed)
    net = nn.Linear(3, 2)
    return {
        "net": net,
        "adam": torch.optim.Adam(net.parameters(), 0.1, fused=True),
        "generator": torch.Generator().manual_seed(seed),
    }


def one_step(owner):
    x = torch.randn(5, 3, generator=owner["generator"])
    owner["adam"].zero_grad()
    owner["net"](x).square().sum().backward()
    owner["adam"].step()


def test_optimizer_and_generator_go_on_where_they_were():
    original, copy = parts(0), parts(1)
    for _ in range(3):
        one_step(original)
    restore(gather(**original), **copy)
    for _ in range(3):
        one_step(original)
        one_step(copy)
    assert torch.equal(original["net"].weight, copy["net"].weight)


def test_the_table_holds_flat_tensors_that_later_steps_do_not_change():
    owner = parts(0)
    one_step(owner)
    table = gather(**owner)
    kept = {name: value.clone() for name, value in table.items()}
    one_step(owner)
    assert all(isinstance(value, torch.Tensor) for value in table.values())
    assert all(torch.equal(table[name], kept[name]) for name in table)


def test_a_missing_part_is_named():
    owner = parts(0)
    table = {k: v for k, v in gather(**owner).items() if not k.startswith("net.")}
    with pytest.raises(ValueError, match="state must hold 'net'"):
        restore(table, **owner)
