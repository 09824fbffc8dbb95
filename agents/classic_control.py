"""CartPole-v1, MountainCar-v0 and Acrobot-v1 for many lanes at once, equal to gymnasium bit by bit.

Every operation has gymnasium's order, in float64. We leave that order only where rounding cannot
notice: signs, factors that are powers of two, operands of one operation that change places.

At few lanes a step costs what its numpy calls cost, 0.2 us each. Hence constants are arrays without
axes (a Python float adds 0.2 us), outputs are positional, quantities treated alike lie in
neighbouring rows, and their constants are written out for every lane (broadcasting adds 0.5 us).
"""

import math
from collections.abc import Mapping, Sequence

import gymnasium
import numpy as np
from gymnasium.utils import seeding
from numpy import add, cos, divide, maximum, minimum, multiply, sin, square, subtract
from numpy.typing import NDArray

from agents.environments import EnvSpec, LaneEnvs, Step


def classic_lanes(spec: EnvSpec) -> LaneEnvs | None:
    """The batched environment equal to `spec`, or None where we have none.

    None also if the id is registered anew: with another class, time limit, keyword or wrapper.
    """
    task, registered = TASKS.get(spec.id), gymnasium.registry.get(spec.id)
    if task is None or registered is None or spec.kwargs:
        return None
    found = (registered.entry_point, registered.max_episode_steps, registered.kwargs)
    if found != (task.entry_point, task.episode_limit, {}) or registered.additional_wrappers:
        return None
    return ClassicLanes(task)


class ClassicLanes:
    """One task in all lanes. Each step overwrites the arrays of the Step before it.

    A task knows its equations and holds memory for a fixed number of lanes: state [variables,
    lanes] float64, and what Step and LaneEnvs show. `advance` moves all lanes by one step, `begin`
    draws the initial state of one lane.
    """

    def __init__(self, task: "type[Task]") -> None:
        self._kind = task
        self._one, self._limit = np.array(1), np.array(task.episode_limit)
        self._draws: list[np.random.Generator] = []
        self.failures: Mapping[int, str] = {}
        self._task, self._elapsed_steps = task(0), np.zeros(0, dtype=np.int64)
        self._rebuild([], lanes=0)

    def admit(self, *seeds: int) -> None:
        before, after = len(self._draws), len(self._draws) + len(seeds)
        self._draws += [seeding.np_random(seed)[0] for seed in seeds]
        self._rebuild(list(range(before)), lanes=after)
        self.reset(range(before, after))

    def keep(self, rows: Sequence[int]) -> None:
        self._draws = [self._draws[row] for row in rows]
        self._rebuild(list(rows), lanes=len(rows))

    def step(self, actions: NDArray[np.int64]) -> Step:
        self._actions_given[...] = actions
        self._task.advance(self._actions)
        add(self._elapsed_steps, self._one, self._elapsed_steps)
        np.greater_equal(self._elapsed_steps, self._limit, self._truncated)
        return self._step

    def reset(self, rows: Sequence[int]) -> None:
        for row in rows:
            self._elapsed_steps[row] = 0
            self._task.begin(row, self._draws[row])

    def _rebuild(self, rows: list[int], lanes: int) -> None:
        """Take memory for `lanes` lanes, the first of which stood in `rows` until now."""
        before, elapsed_steps, kept = self._task, self._elapsed_steps, len(rows)
        width = max(lanes, 2)  # a ufunc that overwrites an array of one element takes 0.6 us longer
        self._task = task = self._kind(width)
        self._actions, self._elapsed_steps = np.zeros((2, width), dtype=np.int64)
        self._truncated = np.zeros(width, dtype=np.bool_)
        self._actions_given, self.observations = self._actions[:lanes], task.observations[:lanes]
        self._step = Step(task.reward[:lanes], task.terminated[:lanes], self._truncated[:lanes])
        task.state[:, :kept] = before.state[:, rows]
        task.observations[:kept] = before.observations[rows]
        self._elapsed_steps[:kept] = elapsed_steps[rows]


class CartPole:
    """A pole on a cart that is pushed with 10 N to the left (0) or right (1) for 0.02 s.

    state         x m, theta rad, x velocity, theta velocity
    observations  x, x velocity, theta, theta velocity

    Barto, Sutton & Anderson (1983), "Neuronlike adaptive elements that can solve difficult learning
    control problems", appendix; without its friction, integrated by Euler's method.
    """

    entry_point = "gymnasium.envs.classic_control.cartpole:CartPoleEnv"
    episode_limit = 500
    forces = np.array([-10.0, 10.0])
    tau, gravity = np.array(0.02), np.array(9.8)
    pole_mass, total_mass = np.array(0.1), np.array(0.1 + 1.0)
    half_length, pole_mass_length, four_thirds = np.array(0.5), np.array(0.05), np.array(4.0 / 3.0)
    fastest_square = np.array(1e8)  # standing: 22^2; bounds a fallen pole that nobody resets

    def __init__(self, lanes: int) -> None:
        motion, scratch = np.zeros((6, lanes)), np.zeros((6, lanes))
        self.state, self._positions, self._rates = motion[:4], motion[:2], motion[2:]
        _, theta, _, theta_velocity, x_acceleration, theta_acceleration = motion
        self._rows = theta, theta_velocity, x_acceleration, theta_acceleration, *scratch
        self._change, self._distances = np.zeros((4, lanes)), np.zeros((2, lanes))
        self._limits = np.repeat([[2.4], [12 * 2 * math.pi / 360]], lanes, axis=1)
        self._off_track, self._fallen = self._outside = np.zeros((2, lanes), dtype=np.bool_)
        self.observations = np.zeros((lanes, 4), dtype=np.float32)
        self._seen = self.observations.reshape(lanes, 2, 2).transpose(2, 1, 0)
        self._to_see = self.state.reshape(2, 2, lanes)
        self.reward, self.terminated = np.zeros(lanes), np.zeros(lanes, dtype=np.bool_)

    def advance(self, actions: NDArray[np.int64]) -> None:
        theta, velocity, x_acceleration, acceleration, *scratch = self._rows
        cosine, sine, push, force, inertia, swing = scratch
        cosine, sine = cos(theta, cosine), sin(theta, sine)
        # push = (force + pole_mass_length * velocity^2 * sine) / total_mass
        minimum(square(velocity, push), self.fastest_square, out=push)
        multiply(multiply(push, self.pole_mass_length, push), sine, push)
        add(push, self.forces.take(actions, None, force, "clip"), push)
        divide(push, self.total_mass, push)
        # inertia = half_length * (4 / 3 - pole_mass * cosine^2 / total_mass)
        multiply(square(cosine, inertia), self.pole_mass, inertia)
        subtract(self.four_thirds, divide(inertia, self.total_mass, inertia), inertia)
        multiply(inertia, self.half_length, inertia)
        # acceleration = (gravity * sine - cosine * push) / inertia
        subtract(multiply(sine, self.gravity, sine), multiply(cosine, push, swing), swing)
        divide(swing, inertia, acceleration)
        # x_acceleration = push - pole_mass_length * acceleration * cosine / total_mass
        multiply(multiply(acceleration, self.pole_mass_length, swing), cosine, swing)
        subtract(push, divide(swing, self.total_mass, swing), x_acceleration)
        add(self.state, multiply(self._rates, self.tau, self._change), self.state)
        np.greater(np.absolute(self._positions, self._distances), self._limits, self._outside)
        np.logical_or(self._off_track, self._fallen, self.terminated)
        self.reward.fill(1.0)
        self._seen[...] = self._to_see

    def begin(self, row: int, draws: np.random.Generator) -> None:
        self.observations[row] = drawn = draws.uniform(low=-0.05, high=0.05, size=(4,))
        self.state[:, row] = drawn[[0, 2, 1, 3]]


class MountainCar:
    """A car too weak to leave its valley at once: push left (0), coast (1) or push right (2).

    state, observations  position m in -1.2 .. 0.6, velocity m per step in -0.07 .. 0.07

    Moore (1990), "Efficient memory-based learning for robot control", University of Cambridge.
    """

    entry_point = "gymnasium.envs.classic_control.mountain_car:MountainCarEnv"
    episode_limit = 200
    forces = np.array([-0.001, 0.0, 0.001])
    slope, downhill, standstill = np.array(3.0), np.array(-0.0025), np.array(0.0)
    slowest, fastest = np.array(-0.07), np.array(0.07)
    wall, goal, far_end = np.array(-1.2), np.array(0.5), np.array(0.6)

    def __init__(self, lanes: int) -> None:
        self._position, self._velocity = self.state = np.zeros((2, lanes))
        self._force, self._pull, self.reward = np.zeros((3, lanes))
        self.observations = np.zeros((lanes, 2), dtype=np.float32)
        self._seen = self.observations.T
        self.terminated, self._at_wall = np.zeros((2, lanes), dtype=np.bool_)

    def advance(self, actions: NDArray[np.int64]) -> None:
        position, velocity, pull = self._position, self._velocity, self._pull
        # velocity += force + cos(3 * position) * -0.0025
        multiply(cos(multiply(position, self.slope, pull), pull), self.downhill, pull)
        add(pull, self.forces.take(actions, None, self._force, "clip"), pull)
        maximum(add(velocity, pull, velocity), self.slowest, out=velocity)
        minimum(velocity, self.fastest, out=velocity)
        maximum(add(position, velocity, position), self.wall, out=position)
        minimum(position, self.far_end, out=position)
        # Who is at the wall came leftwards (the slope there beats any push), and who is at the goal
        # for the first time came rightwards: neither needs gymnasium's question for the velocity.
        np.copyto(velocity, self.standstill, where=np.equal(position, self.wall, self._at_wall))
        np.greater_equal(position, self.goal, self.terminated)
        self.reward.fill(-1.0)
        self._seen[...] = self.state

    def begin(self, row: int, draws: np.random.Generator) -> None:
        self.state[:, row] = draws.uniform(low=-0.6, high=-0.4), 0.0
        self.observations[row] = self.state[:, row]


class Acrobot:
    """Two links of 1 m and 1 kg hang in a chain; -1 (0), 0 (1) or 1 N m (2) acts between them.

    state         theta1 rad, theta2 rad, their velocities
    observations  cos theta1, sin theta1, cos theta2, sin theta2, velocity 1, velocity 2

    Sutton (1996), "Generalization in reinforcement learning: successful examples using sparse
    coarse coding", with theta2's acceleration as in Sutton & Barto's book; 0.2 s, Runge-Kutta 4.
    """

    entry_point = "gymnasium.envs.classic_control.acrobot:AcrobotEnv"
    episode_limit = 500
    torques = np.array([-1.0, 0.0, 1.0])
    half, one, two, inertia2 = np.array(0.5), np.array(1.0), np.array(2.0), np.array(1.25)
    pi, full_turn, goal = np.array(math.pi), np.array(2 * math.pi), np.array(-1.0)
    stages = ((one, np.array(0.1)), (two, np.array(0.1)), (two, np.array(0.2)))  # weight, s ahead
    sixth = np.array(0.2 / 6.0)

    def __init__(self, lanes: int) -> None:
        def filled(*values: float) -> NDArray[np.float64]:
            return np.repeat([[value] for value in values], lanes, axis=1)

        self.state, self._sum, self._part, terms = np.zeros((4, 4, lanes))
        motion, scratch = np.zeros((7, lanes)), np.zeros((10, lanes))
        self._rows = *motion, *terms, *scratch
        self._positions, self._velocities = self.state[:2], self.state[2:]
        self._angles, self._stage, self._rates = motion[:3], motion[1:5], motion[3:]
        self._cosines, self._pulls, self._inertias = terms[:3], terms[:2], terms[2:]
        self._stage_velocities, self._squares = motion[3:5], scratch[:2]
        self._torque, self._shifted = scratch[6], scratch[7:]
        self._shift, self._gravity = filled(math.pi / 2, math.pi / 2, 0.0), filled(4.9, 1.5 * 9.8)
        self._inner, self._outer = filled(1.25, 0.25), filled(0.25, 1.0)
        self._slowest, self._fastest = (filled(4 * s, 9 * s) for s in (-math.pi, math.pi))
        self.observations = np.zeros((lanes, 6), dtype=np.float32)
        self._seen = self.observations.T
        self.reward, self.terminated = np.zeros(lanes), np.zeros(lanes, dtype=np.bool_)

    def advance(self, actions: NDArray[np.int64]) -> None:
        self.torques.take(actions, None, self._torque, "clip")
        self._integrate()
        angles, velocities = self._positions, self._velocities
        while np.count_nonzero(beyond := np.greater(np.absolute(angles), self.pi)):
            subtract(angles, np.copysign(self.full_turn, angles), angles, where=beyond)
        maximum(velocities, self._slowest, out=velocities)
        minimum(velocities, self._fastest, out=velocities)
        self._observe()

    def _integrate(self) -> None:
        self._stage[...] = self.state
        self._sum.fill(0.0)
        for weight, ahead in self.stages:
            self._accelerate()
            add(self._sum, multiply(self._rates, weight, self._part), self._sum)
            add(self.state, multiply(self._rates, ahead, self._part), self._stage)
        self._accelerate()
        multiply(add(self._sum, self._rates, self._sum), self.sixth, self._sum)
        add(self.state, self._sum, self.state)

    def _accelerate(self) -> None:
        """Fill a1 and a2 for the stage. Squares are C's pow, as gymnasium's: not always x * x."""
        both, theta1, theta2, v1, v2, a1, a2, phi2, pull1, d1, d2, *scratch = self._rows
        square1, square2, crossed, sine, minus_phi1, rest, torque, *_ = scratch
        add(theta1, theta2, both)
        cos(subtract(self._angles, self._shift, self._shifted), self._cosines)
        sin(theta2, sine)
        multiply(self._pulls, self._gravity, self._pulls)
        # d1 = 0.25 + (1.25 + cos theta2) + 1 + 1, d2 = 0.25 + cos theta2 / 2 + 1
        multiply(d1, self.half, d2)
        add(add(self._inertias, self._inner, self._inertias), self._outer, self._inertias)
        add(add(d1, self.one, d1), self.one, d1)
        # phi1 = -v2^2 * sine / 2 - v2 * v1 * sine + pull1 + phi2
        multiply(multiply(v2, v1, crossed), sine, crossed)
        multiply(sine, self.half, sine)
        np.float_power(self._stage_velocities, self.two, self._squares)
        add(multiply(square2, sine, square2), crossed, crossed)
        subtract(subtract(crossed, pull1, minus_phi1), phi2, minus_phi1)
        # a2 = (torque + d2 / d1 * phi1 - v1^2 * sine / 2 - phi2) / (1.25 - d2^2 / d1)
        subtract(torque, multiply(divide(d2, d1, a2), minus_phi1, a2), a2)
        subtract(subtract(a2, multiply(square1, sine, square1), a2), phi2, a2)
        divide(np.float_power(d2, self.two, rest), d1, rest)
        divide(a2, subtract(self.inertia2, rest, rest), a2)
        # a1 = -(d2 * a2 + phi1) / d1
        divide(subtract(minus_phi1, multiply(d2, a2, a1), a1), d1, a1)

    def _observe(self) -> None:
        both, theta1, theta2, _, _, _, _, cos_both, cos_theta1, *_ = self._rows
        self._stage[...] = self.state
        add(theta1, theta2, both)
        cos(self._angles, self._cosines)
        np.less(add(cos_both, cos_theta1, both), self.goal, self.terminated)
        subtract(self.terminated, self.one, self.reward)
        self._seen[0:4:2] = self._cosines[1:]
        self._seen[1:4:2] = sin(self._positions, self._squares)
        self._seen[4:] = self._velocities

    def begin(self, row: int, draws: np.random.Generator) -> None:
        drawn = draws.uniform(low=-0.1, high=0.1, size=(4,)).astype(np.float32)
        self.state[:, row] = theta1, theta2, v1, v2 = drawn  # in float32 until the first step
        self.observations[row] = cos(theta1), sin(theta1), cos(theta2), sin(theta2), v1, v2


Task = CartPole | MountainCar | Acrobot
TASKS: dict[str, type[Task]] = {
    "CartPole-v1": CartPole,
    "MountainCar-v0": MountainCar,
    "Acrobot-v1": Acrobot,
}
