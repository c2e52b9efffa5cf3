"""The same work done by other people's code, in turns with ours, in one run on one thread.

Run with `make bench`. It needs the packages of the extra `peers`; what is not installed is named
and left out. Figures are medians of processor time, as in `update.py`.
"""

import importlib.util
import os
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from update import BATCH, HIDDEN, one_update

from svnr.experiments.costs import milliseconds
from svnr.stein.svgd import direction

N, RATE, TAU, NORM, DISCOUNT, PENALTY = 3, 0.005, 0.01, 0.5, 0.95, 1e-3  # as `MADDPGSettings`
FLAGS = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def torchrl_team() -> nn.Module:
    """N actors, N critics that see all actions, and a target of each, stacked by TorchRL."""
    from tensordict import TensorDictParams
    from tensordict.nn import TensorDictModule
    from torchrl.modules import MultiAgentMLP
    from torchrl.objectives.common import LossModule

    class Team(LossModule):
        actor: TensorDictModule
        actor_params: TensorDictParams
        target_actor_params: TensorDictParams
        critic: TensorDictModule
        critic_params: TensorDictParams
        target_critic_params: TensorDictParams

        def __init__(self) -> None:
            super().__init__()
            sizes = {"depth": len(HIDDEN), "num_cells": list(HIDDEN), "share_params": False}
            for name, inputs, unit in (("actor", 1, nn.Tanh), ("critic", 1 + N, nn.ReLU)):
                net = MultiAgentMLP(
                    inputs, 1, N, centralized=False, activation_class=unit, **sizes
                )
                module = TensorDictModule(net, in_keys=["x"], out_keys=["y"])
                self.convert_to_functional(module, name, create_target_params=True)

        def act(self, state: Tensor, params: TensorDictParams) -> Tensor:
            """[B, N] actions before the tanh."""
            with params.to_module(self.actor):
                return self.actor.module(state)[..., 0]

        def judge(self, state: Tensor, u: Tensor, params: TensorDictParams) -> Tensor:
            """[B, N] values; critic i judges u[:, i]."""
            with params.to_module(self.critic):
                return self.critic.module(torch.cat([state, u], -1))[..., 0]

    return Team()


def torchrl_update(ends: bool) -> Callable[[], object]:
    """MADDPG's update with our losses and TorchRL's modules: critics, then actors, then targets.

    Adam is torch's, on clipped gradients; targets follow by `SoftUpdate`. Where every row `ends`
    its episode no next value is asked for, as ours does.
    """
    from torchrl.objectives import SoftUpdate

    team = torchrl_team()
    soft = SoftUpdate(team, tau=TAU)
    learned = [list(p.values(True, True)) for p in (team.critic_params, team.actor_params)]
    critic_adam, actor_adam = (torch.optim.Adam(parts, lr=RATE) for parts in learned)
    state, reward, own = torch.ones(BATCH, N, 1), torch.rand(BATCH, 1), torch.eye(N).bool()
    u = (2 * torch.rand(BATCH, 1, N) - 1).expand(-1, N, -1)

    def descend(adam: torch.optim.Adam, loss: Tensor) -> None:
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(adam.param_groups[0]["params"], NORM)
        adam.step()

    @torch.no_grad()
    def next_value() -> Tensor:
        then = torch.tanh(team.act(state, team.target_actor_params)).unsqueeze(1)
        return team.judge(state, then.expand(-1, N, -1), team.target_critic_params)

    def update() -> None:
        target = reward if ends else reward + DISCOUNT * next_value()
        value = team.judge(state, u, team.critic_params)
        descend(critic_adam, 0.5 * (target - value).square().mean(0).sum())
        latent = team.act(state, team.actor_params)
        mixed = torch.where(own, torch.tanh(latent).unsqueeze(-1), u)
        value = team.judge(state, mixed, team.critic_params.data)  # judges, and does not learn
        descend(actor_adam, (PENALTY * latent.square() - value).mean(0).sum())
        soft.step()

    return update


def svgd_step(particles: Tensor) -> Tensor:
    """A step of our SVGD on a standard normal, with its median bandwidth."""
    return particles + 0.1 * direction(particles, -particles)


def blackjax_step(particles: Tensor) -> Callable[[], object]:
    """A compiled step of blackjax's SVGD on a standard normal, with its median bandwidth."""
    import blackjax
    import jax
    import optax

    svgd = blackjax.svgd(jax.grad(lambda x: -(x**2).sum() / 2), optax.sgd(0.1))
    state, step = svgd.init(jax.numpy.array(particles.numpy())), jax.jit(svgd.step)
    return lambda: jax.block_until_ready(step(state))


def compare(what: str, package: str, repeats: int, ours: Callable, theirs: Callable) -> None:
    """Print milliseconds of ours and theirs, `theirs` being made here if its package is there."""
    if importlib.util.find_spec(package) is None:
        print(f"{what:<50} {package} is not installed: pip install -e '.[peers]'")
        return
    took = milliseconds(repeats, {"ours": ours, "theirs": theirs()}, unheard=10)
    ratio = took["theirs"] / took["ours"]
    print(f"{what:<50} {took['ours']:8.2f}  {took['theirs']:8.2f}  {ratio:5.2f}  {package}")


def main() -> None:
    """Print every comparison."""
    os.environ.setdefault("XLA_FLAGS", FLAGS)
    torch.set_num_threads(1)
    print(f"{'one thread':<50}  ours ms theirs ms  ratio")
    for ends, how in ((False, "rows that go on"), (True, "rows that end")):
        ours = one_update("maddpg", N, ends, n_rows=BATCH, hidden=HIDDEN)
        what = f"MADDPG update, {N} agents, {BATCH} {how}"
        compare(what, "torchrl", 100, ours, partial(torchrl_update, ends))
    for n, repeats in ((48, 300), (1024, 20)):
        x = torch.randn(n, 12, generator=torch.Generator().manual_seed(0))
        ours, theirs = partial(svgd_step, x), partial(blackjax_step, x)
        compare(f"SVGD step, {n} particles, 12 coordinates", "blackjax", repeats, ours, theirs)


if __name__ == "__main__":
    main()
