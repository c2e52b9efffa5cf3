"""What one update costs, part by part and learner by learner, beside its arithmetic alone.

Run with `make bench`. Every figure is a median on one thread; the matrix-product rate is measured
in turns with the update, so that their ratio holds on a busy machine too.
"""

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from svnr.experiments.scenarios import LEARNERS, learner_settings, make_learner
from svnr.games.differential import DifferentialGame, Hill
from svnr.learners.learner import Learner
from svnr.learners.losses import learn_values
from svnr.learners.replay import Batch
from svnr.learners.svnr import SVNR, SVNRSettings
from svnr.stein.negotiation import negotiated_direction
from svnr.stein.svgd import latent_score

BATCH = 512  # transitions an update
HIDDEN = (100, 100)


@dataclass(frozen=True)
class Case:
    """One size of the update."""

    n_agents: int = 3
    n_particles: int = 48
    n_groups: int = 8

    def learner(self) -> SVNR:
        """A fresh learner of this size."""
        settings = SVNRSettings(
            n_particles=self.n_particles, n_groups=self.n_groups, hidden=HIDDEN
        )
        return SVNR(many_hills(self.n_agents), settings, 5000, seed=0)

    def multiply_adds(self) -> int:
        """Multiply-adds of the matrix products of one update (kernels and Adam not counted)."""
        critic = layers(1 + self.n_agents, 1)
        sampler = layers(1 + self.n_agents, 1)
        rows = self.n_groups * self.n_particles // 2  # fixed, and as many moved
        learn_critic = BATCH * (3 * sum(critic) - critic[0])  # forward, ∂weights, ∂inputs but one
        fixed = self.n_agents * rows * sum(sampler)
        moved = self.n_agents * rows * (3 * sum(sampler) - sampler[0])
        ask_critic = rows * 2 * sum(critic)  # forward and ∂actions
        return learn_critic + fixed + moved + ask_critic


def layers(n_inputs: int, n_outputs: int) -> list[int]:
    """Multiply-adds a row of each layer."""
    widths = [n_inputs, *HIDDEN, n_outputs]
    return [a * b for a, b in itertools.pairwise(widths)]


def many_hills(n_agents: int) -> DifferentialGame:
    """A game of two hills for any number of agents."""
    right = Hill(height=1.0, center=(7.0,) * n_agents, width=2.0, offset=10.0)
    wrong = Hill(height=0.8, center=(-5.0,) * n_agents, width=3.0, offset=0.0)
    return DifferentialGame(f"hills_{n_agents}", (wrong, right))


def transitions(n_agents: int) -> Batch:
    """A batch of random joint actions and their rewards."""
    game = many_hills(n_agents)
    state = game.reset(BATCH, 0)
    u = 2 * torch.rand(BATCH, n_agents, generator=torch.Generator().manual_seed(0)) - 1
    step = game.step(u)
    return Batch(state, u, step.reward, step.state, step.terminated)


def in_turns(repeats: int = 200, **calls: Callable[[], object]) -> dict[str, float]:
    """Median milliseconds of each call, all of them timed in turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + 10):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if repeat >= 10:
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def against_floor(case: Case, repeats: int = 200) -> tuple[float, float]:
    """Milliseconds of one update, and of its multiply-adds at the measured rate."""
    return beside_products(
        case.learner(), transitions(case.n_agents), case.multiply_adds(), repeats
    )


def beside_products(
    learner: Learner, batch: Batch, multiply_adds: float, repeats: int
) -> tuple[float, float]:
    """Milliseconds of one update, and of some multiply-adds at the rate measured beside it."""
    left, right = torch.randn(BATCH, HIDDEN[0]), torch.randn(*HIDDEN)
    took = in_turns(
        repeats, product=lambda: left @ right, update=lambda: learner.update(batch, 2000)
    )
    rate = BATCH * HIDDEN[0] * HIDDEN[1] / took["product"]  # multiply-adds a millisecond
    return took["update"], multiply_adds / rate


def parts(case: Case) -> dict[str, float]:
    """Milliseconds of each part of an update."""
    learner, batch = case.learner(), transitions(case.n_agents)
    rows = (case.n_groups, case.n_particles // 2)
    state = torch.zeros(*rows, 1)
    noise, u = learner.noise(*rows), 0.9 * torch.rand(*rows, case.n_agents)

    def critic() -> None:
        learn_values(learner.critic, learner._critic_adam, batch.state, batch.u, batch.reward)

    def samplers() -> None:
        z, trail = learner.samplers.record(state, noise)
        learner._sampler_adam.step(learner.samplers.slopes(trail, z))

    def fixed() -> None:
        with torch.no_grad():
            learner.samplers.latent(state, noise)

    return in_turns(
        critic_learns=critic,
        fixed_particles=fixed,
        moved_particles_and_samplers_learn=samplers,
        action_gradient=lambda: learner.critic.action_gradient(state, u),
        score=lambda: latent_score(u, u),
        direction=lambda: negotiated_direction(u, u, u, learner.mask),
        target_critic=learner._target.follow,
    )


def growth(name: str, cases: dict[int, Case]) -> None:
    """Print how the cost grows along one size."""
    print(f"\n{name:>10}  update ms  floor ms  ratio")
    for size, case in cases.items():
        update, floor = against_floor(case, repeats=40)
        print(f"{size:>10}  {update:9.2f}  {floor:8.2f}  {update / floor:5.2f}")


def every_learner(n_agents: int = 3) -> None:
    """Print the cost of an update of each learner; here torch counts the multiply-adds."""
    print(f"\n{'learner':>10}  update ms  floor ms  ratio")
    game, batch = many_hills(n_agents), transitions(n_agents)
    for name in LEARNERS:
        learner = make_learner(name, game, learner_settings(name), 5000, seed=0)
        noted = Batch(**{**vars(batch), "note": learner.observe(batch.state, batch.u)})
        with FlopCounterMode(display=False) as counter:
            learner.update(noted, 2000)
        update, floor = beside_products(learner, noted, counter.get_total_flops() / 2, repeats=60)
        print(f"{name:>10}  {update:9.2f}  {floor:8.2f}  {update / floor:5.2f}")


def main() -> None:
    """Print the whole benchmark."""
    torch.set_num_threads(1)
    case = Case()
    update, floor = against_floor(case)
    print(f"SVNR update: {BATCH} transitions, {case}, networks {HIDDEN}, one thread")
    print(f"  update {update:.2f} ms, arithmetic floor {floor:.2f} ms, ratio {update / floor:.2f}")
    for name, took in parts(case).items():
        print(f"  {name.replace('_', ' '):<36} {took:6.3f} ms")
    every_learner()
    growth("particles", {m: Case(n_particles=m) for m in (16, 32, 48, 64, 128, 256)})
    growth("agents", {n: Case(n_agents=n) for n in (2, 3, 4, 8, 16)})
    growth("groups", {g: Case(n_groups=g) for g in (1, 8, 32, 128, 512)})


if __name__ == "__main__":
    main()
