"""What one update costs, function by function and learner by learner, beside its arithmetic alone.

Run with `make bench`. Every figure is a median of processor time on one thread, so that waiting
for a busy machine does not count. The floor is the update's multiply-adds, as torch counts them,
at the matrix-product rate measured in turns with the update.
"""

import cProfile
import pstats
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

import svnr
from svnr.experiments.catalogue import LEARNERS, learner_class, settings_class
from svnr.experiments.costs import milliseconds
from svnr.games.differential import DifferentialGame, Hill
from svnr.learners.learner import Progress
from svnr.learners.memory import Transitions
from svnr.learners.off_policy import OffPolicy

BATCH = 512  # transitions an update
HIDDEN = (100, 100)
SIZE = {"n_particles": 48, "n_groups": 8, "hidden": HIDDEN}


def many_hills(n_agents: int) -> DifferentialGame:
    """A game of two hills for any number of agents."""
    right = Hill(height=1.0, center=(7.0,) * n_agents, width=2.0, offset=10.0)
    wrong = Hill(height=0.8, center=(-5.0,) * n_agents, width=3.0, offset=0.0)
    return DifferentialGame(f"hills_{n_agents}", (wrong, right))


def one_update(
    name: str, n_agents: int = 3, ends: bool = True, **settings: Any
) -> Callable[[], object]:
    """One update of a fresh learner on a batch of random joint actions, ready to be called.

    Of a learner without a replay that is all it makes of a rollout of as many.

    Args:
        name: of the learner.
        n_agents: N.
        ends: whether every transition ends its episode, as it does in this game.
        settings: of the learner, where they are not its own.
    """
    game = many_hills(n_agents)
    known, sizes = settings_class(name), {"warmup": BATCH + 1, "rollout_steps": BATCH}
    settings |= {k: v for k, v in sizes.items() if k in known.__dataclass_fields__}
    made = known(**{**LEARNERS[name].settings, **settings})
    learner = learner_class(name)(game, made, seed=0)
    state = game.reset(BATCH, 0)
    u = 2 * torch.rand(BATCH, n_agents, generator=torch.Generator().manual_seed(0)) - 1
    step = game.step(u)
    ended = torch.full_like(step.terminated, ends)
    rows = Transitions(state, u, step.reward, step.state, ended, ~ended)
    if not isinstance(learner, OffPolicy):
        return lambda: learner.observe(rows, Progress(2000, 5000))
    learner.observe(rows, Progress(0, 5000))  # remembered; too early to learn from
    batch = learner.draw()
    return lambda: learner.update(batch, Progress(2000, 5000))


def beside_floor(update: Callable[[], object], repeats: int = 40) -> str:
    """Milliseconds of one update, of its multiply-adds at the measured rate, and their ratio."""
    with FlopCounterMode(display=False) as counter:
        update()
    left, right = torch.randn(BATCH, HIDDEN[0]), torch.randn(*HIDDEN)
    took = milliseconds(repeats, {"product": lambda: left @ right, "update": update}, unheard=10)
    products = counter.get_total_flops() / (2 * BATCH * HIDDEN[0] * HIDDEN[1])
    floor = products * took["product"]
    return f"{took['update']:9.2f}  {floor:8.2f}  {took['update'] / floor:5.2f}"


def table(what: str, updates: dict[Any, Callable[[], object]]) -> None:
    """Print a row for each update."""
    print(f"\n{what:>10}  update ms  floor ms  ratio")
    for name, update in updates.items():
        print(f"{name!s:>10}  {beside_floor(update)}")


def shares(update: Callable[[], object], repeats: int = 200, least: float = 0.05) -> None:
    """Print which functions of the package an update spends its time in, callees included."""
    profile = cProfile.Profile()
    profile.runcall(lambda: [update() for _ in range(repeats)])
    home, stats = Path(svnr.__file__).parent, pstats.Stats(profile)
    print(f"\n{'share':>10}  function, with what it calls (the profiler makes small ones larger)")
    ours = [(each[3], *key) for key, each in stats.stats.items() if str(home) in key[0]]
    for took, path, line, name in sorted(ours, reverse=True):
        if took >= least * stats.total_tt:
            print(f"{took / stats.total_tt:10.0%}  {Path(path).relative_to(home)}:{line} {name}")


def main() -> None:
    """Print the whole benchmark."""
    torch.set_num_threads(1)
    print(f"Updates from {BATCH} transitions, networks {HIDDEN}, one thread; svnr: {SIZE}")
    here = [name for name in LEARNERS if not learner_class(name).needs_steps]
    table("learner", {name: one_update(name) for name in here})
    shares(one_update("svnr", **SIZE))
    for what, sizes in {
        "n_particles": (16, 32, 48, 64, 128, 256),
        "n_groups": (1, 8, 32, 128, 512),
    }.items():
        table(what, {size: one_update("svnr", **{**SIZE, what: size}) for size in sizes})
    table("n_agents", {n: one_update("svnr", n, **SIZE) for n in (2, 3, 4, 8, 16)})


if __name__ == "__main__":
    main()
