"""Particle Gather (§8.2): two particles must reach a landmark together, two agents steer each.

The physics are those of the multi-agent particle world, as the `mpe2` package has them: a test
plays both side by side. Here all copies move at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from svnr.checks import Count, Positive, Settings, added, changed
from svnr.games.game import Copies, Game, Symmetries

TIME_STEP = 0.1  # of mpe2's World
DAMPING = 0.25  # share of the velocity lost in a step; mpe2's World
QUARTER, MIRROR = torch.tensor([[[0.0, -1.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, -1.0]]])
SQUARE = [torch.matrix_power(QUARTER, k) @ m for m in (torch.eye(2), MIRROR) for k in range(4)]
Team = Callable[[Tensor], Tensor]  # from states [B, 8] to joint actions [B, 4]


@dataclass(frozen=True, kw_only=True)
class GatherSettings(Settings):
    """The rules that the paper gives, and those it leaves open.

    With these, of a million episodes of uniformly random play 1.56 % first meet the landmark
    jointly, 66.6 % alone and 31.9 % never: some 78 of 5,000 episodes show what is to be learned,
    and a random direction changes none of the shares. Farther away there is less to learn from
    (shares in %, of 100,000 episodes each):

    | start | radius | joint | solo | none |
    |---|---|---|---|---|
    | 0.4 | 0.2 | 0.41 | 44.6 | 55.0 |
    | 0.5 | 0.3 | 0.56 | 50.7 | 48.7 |
    | 0.5 to 1 | 0.3 | 0.11 | 26.0 | 73.9 |
    | 0.7 | 0.3 | 0.11 | 27.5 | 72.4 |
    | 1 | 0.3 | 0.01 | 9.0 | 91.0 |
    """

    start: tuple[Positive, Positive] = (0.4, 0.4)  # least and greatest distance from it; ours
    random_starts: bool = False  # in random directions, else on opposite sides; ours
    radius: Positive = 0.3  # a particle nearer than this has reached the landmark; ours
    force_gain: Positive = 5.0  # force of an action of 1, masses are 1; mpe2's sensitivity
    joint_reward: float = 5.0  # when both are there (§8.2)
    solo_reward: float = -2.0  # when exactly one is (§8.2)
    end_on_joint: bool = True  # the episode ends when both are there; fits Table 1
    end_on_solo: bool = True  # the episode ends when one is; fits Table 1
    pay_each_step: bool = False  # if it goes on: at every step, not once for each kind; ours
    horizon: Count = 25  # steps of an episode (§8.2)
    distances: bool = added(False)  # both particles' |p| and |p + v| are in the state too; ours

    def __post_init__(self) -> None:
        """Refuse rules that make no game."""
        super().__post_init__()
        if not self.radius < self.start[0] <= self.start[1]:
            wanted = f"two distances above the radius {self.radius}, the lower first"
            raise ValueError(f"start must be {wanted}, got {self.start}")


class ParticleGather(Game):
    """Agents 0 and 1 push particle 1 along x and y, agents 2 and 3 push particle 2.

    The state [B, 8] holds the two particles' positions relative to the landmark, then their
    velocities; `bodies` reads it. Positions are in units of what a speed of 1 covers in a step,
    so that both parts are of one size and a network sees where the next step ends. The time left
    is not in it: the clock truncates, and truncated steps bootstrap. Nor is what was paid before,
    which matters only where an episode goes on and pays once. With `distances` it is [B, 12]: last
    come both distances to the landmark, and those that the next step leads to.

    Args:
        settings: the rules.
        name: of the game with these rules.
    """

    action_sizes = (1, 1, 1, 1)
    state_size = 8

    def __init__(
        self, settings: GatherSettings | None = None, name: str = "particle_gather"
    ) -> None:
        self.settings = rules = settings or GatherSettings()
        self.name, self.horizon = name, rules.horizon
        self.state_size = 12 if rules.distances else 8
        prices = (rules.joint_reward, rules.solo_reward)
        self._prices = torch.tensor(prices)
        if not rules.pay_each_step:  # then each kind of contact is paid once at most
            self.return_bounds = sum(min(0.0, x) for x in prices), sum(max(0.0, x) for x in prices)

    def rules(self) -> dict[str, Any]:
        """The settings."""
        return self.settings.plain()

    def symmetries(self) -> Symmetries:
        """The eight turns and mirrors of a square, as that of the pushes is; alike for both."""
        same = torch.eye(self.state_size - 8)
        of_state = torch.stack([torch.block_diag(*[turn] * 4, same) for turn in SQUARE])
        of_u = torch.stack([torch.block_diag(turn, turn) for turn in SQUARE])
        return Symmetries(of_state, of_u, of_u.abs())  # each agent has one coordinate

    def _begin(self, copies: Sequence[int], seed: int) -> Copies:
        """Both particles at rest, at distances drawn from `start`; nothing is paid yet."""
        generator = torch.Generator().manual_seed(seed)
        low, high = self.settings.start
        distance = low + (high - low) * torch.rand(len(copies), 2, 1, generator=generator)
        turn = torch.rand(len(copies), 2, 1, generator=generator)
        if not self.settings.random_starts:
            turn = torch.tensor([[0.125], [0.625]]).expand_as(turn)
        angle = 2 * torch.pi * turn
        position = distance * torch.cat([angle.cos(), angle.sin()], -1)  # [K, 2, 2]
        nothing = torch.zeros(len(copies), 2, dtype=torch.bool)  # of what joint and solo pay
        return self._remembered(position, torch.zeros_like(position), nothing)

    def _play(self, now: Copies, u: Tensor, running: Tensor) -> tuple[Tensor, Copies]:
        """Push, move, pay."""
        rules = self.settings
        force = rules.force_gain * u.view(-1, 2, 2)
        position, velocity = physics(now["position"], now["velocity"], force)
        met = torch.stack(contacts(position, rules.radius), -1)
        due = met if rules.pay_each_step else met & ~now["paid"]
        ended = (met & torch.tensor([rules.end_on_joint, rules.end_on_solo])).any(-1)
        after = self._remembered(position, velocity, now["paid"] | met)
        return due.to(u.dtype) @ self._prices, {**after, "terminated": ended}

    def _remembered(self, position: Tensor, velocity: Tensor, paid: Tensor) -> Copies:
        """What a copy remembers: what is seen, and what that came from, to the last bit."""
        now = position / TIME_STEP
        seen = [torch.cat([now, velocity], 1).flatten(1)]
        if self.settings.distances:
            seen += [now.norm(dim=-1), (now + velocity).norm(dim=-1)]
        state = torch.cat(seen, 1)
        return {"state": state, "position": position, "velocity": velocity, "paid": paid}


def bodies(state: Tensor) -> tuple[Tensor, Tensor]:
    """The positions and velocities, both [..., 2, 2], of the two particles in states [..., S]."""
    position, velocity = state[..., :8].unflatten(-1, (2, 2, 2)).unbind(-3)
    return TIME_STEP * position, velocity


def physics(position: Tensor, velocity: Tensor, force: Tensor) -> tuple[Tensor, Tensor]:
    """One step of mpe2's World for particles of mass 1 that do not collide.

    The position moves with the old velocity; then the velocity is damped and pushed.

    Args:
        position: [..., 2].
        velocity: [..., 2].
        force: [..., 2].
    """
    return position + TIME_STEP * velocity, (1 - DAMPING) * velocity + TIME_STEP * force


def contacts(position: Tensor, radius: float) -> tuple[Tensor, Tensor]:
    """Whether both particles [B, 2, 2] are at the landmark [B], and whether exactly one is [B]."""
    inside = position.norm(dim=-1) < radius
    return inside.all(-1), inside[:, 0] ^ inside[:, 1]


# --- scripted teams --------------------------------------------------------------------------


def best_team(settings: GatherSettings) -> Team:
    """Both go straight; the one that would be there first waits until the other is as near.

    With the gain of the settings they arrive together in every one of 20,000 episodes tried for
    each of six radii from 0.07 to 0.3; full force leaps over a landmark of radius 0.05.
    """

    def act(state: Tensor) -> Tensor:
        position, velocity = bodies(state)
        needed = _steps_needed(position, velocity, settings)
        goes = needed >= needed.flip(-1)
        return (_towards(position) * goes.unsqueeze(-1)).flatten(1)

    return act


def solo_runner(state: Tensor) -> Tensor:
    """Particle 1 goes straight to the landmark, particle 2 stays where it is."""
    towards = _towards(bodies(state)[0])
    towards[:, 1] = 0.0
    return towards.flatten(1)


def stay_away(state: Tensor) -> Tensor:
    """Nobody moves."""
    return torch.zeros(len(state), 4)


def random_play(seed: int) -> Team:
    """Every agent pushes at random."""
    generator = torch.Generator().manual_seed(seed)
    return lambda state: 2 * torch.rand(len(state), 4, generator=generator) - 1


def _steps_needed(position: Tensor, velocity: Tensor, settings: GatherSettings) -> Tensor:
    """How many steps each particle [B, 2, 2] needs to the landmark at full force: [B, 2]."""
    needed = torch.full(position.shape[:-1], settings.horizon)
    for step in range(settings.horizon):
        arrived = position.norm(dim=-1) < settings.radius
        needed = torch.where(arrived, needed.clamp(max=step), needed)
        position, velocity = physics(position, velocity, settings.force_gain * _towards(position))
    return needed


def _towards(position: Tensor) -> Tensor:
    """The unit push from each position [..., 2] to the landmark."""
    return -position / position.norm(dim=-1, keepdim=True).clamp(min=1e-9)


def particle_gather(name: str = "particle_gather", **settings: object) -> ParticleGather:
    """The game called `name`, with some rules changed, by their names in `GatherSettings`."""
    return ParticleGather(changed(GatherSettings(), settings), name)
