import pytest
import torch

from svnr.learners.checkpoint import gather, restore
from svnr.networks.mlp import NetworkSettings, StackedMLP
from svnr.networks.optimizers import Trained


def parts(seed):
    generator = torch.Generator().manual_seed(seed)
    team = Trained(StackedMLP(1, (3, 4, 1), generator), NetworkSettings(learning_rate=0.1))
    return {"team": team, "generator": generator}


def one_step(owner):
    u = torch.randn(1, 5, 3, generator=owner["generator"])
    owner["team"].learn(torch.square, u)


def test_optimizer_and_generator_go_on_where_they_were():
    original, copy = parts(0), parts(1)
    for _ in range(3):
        one_step(original)
    restore(gather(**original), **copy)
    for _ in range(3):
        one_step(original)
        one_step(copy)
    for one, other in zip(
        original["team"].net.parameters(), copy["team"].net.parameters(), strict=True
    ):
        assert torch.equal(one, other)


def test_the_table_holds_flat_tensors_that_later_steps_do_not_change():
    owner = parts(0)
    one_step(owner)
    table = gather(**owner)
    kept = {name: value.clone() for name, value in table.items()}
    one_step(owner)
    assert {name.split(".")[0] for name in table} == {"team", "generator"}
    assert all(torch.equal(table[name], kept[name]) for name in table)


def test_a_missing_part_is_named():
    owner = parts(0)
    table = {k: v for k, v in gather(**owner).items() if not k.startswith("team.")}
    with pytest.raises(ValueError, match="state must hold 'team'"):
        restore(table, **owner)
