"""Greedy episodes to look at: those of an evaluation, one after the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.environments import EnvFacts, EnvSpec, GymnasiumLanes
from agents.evaluation import LONGEST_EPISODE, endless_text
from agents.learner import GreedyPolicy
from agents.randomness import Purpose, environment_seed

DEFAULT_FPS = 30.0
WINDOW, PICTURES = "human", "rgb_array"  # gymnasium's names of render modes


@dataclass(frozen=True)
class Seen:
    """A moment of an episode. picture: what the environment rendered; None if into a window."""

    picture: Any


@dataclass(frozen=True)
class Ended:
    """An episode that is over.

    number    from 0, as among those of an evaluation
    returned  undiscounted sum of rewards
    steps     of the environment
    failure   why the rest means nothing, if the environment raised or never ended
    """

    number: int
    returned: float
    steps: int
    failure: str | None


def step_by_step(
    load: Callable[[], GreedyPolicy], env: EnvSpec, facts: EnvFacts, seed: int, *, episodes: int
) -> Iterator[Seen | Ended]:
    """Play what `evaluation.play` plays with one lane at mark 0: every step, then the episode.

    load  the policy of one lane from its beginning, for each episode anew: a random one goes on
          drawing from call to call
    env   with its render mode, as from `rendered`

    What a network answers depends on the shape of what it is shown, so it is shown as many
    episodes as an evaluation shows it, blank ones beside the one that plays. That makes the returns
    equal bit for bit to those of an evaluation of as many episodes, provided that the environment
    does the same when it is looked at. Among another number of episodes, values may be rounded
    otherwise, and an episode may go another way.
    """
    pictures = env.kwargs.get("render_mode") == PICTURES  # a window is drawn by each step
    for number in range(episodes):
        envs = GymnasiumLanes(env, facts)
        envs.admit(environment_seed(seed, Purpose.EVALUATION, 0, number))
        policy = load()
        shown = np.zeros((1, episodes, facts.features), dtype=np.float32)
        longest = max(LONGEST_EPISODE, facts.episode_limit or 0)
        returned, steps, over = 0.0, 0, False
        try:
            yield from _shown(envs, pictures)
            while not over and not envs.failures and steps < longest:
                shown[0, number] = envs.observations[0]
                step = envs.step(policy.actions(shown)[0, number : number + 1])
                returned += float(step.reward[0])
                steps += 1
                over = bool(step.terminated[0] or step.truncated[0])
                yield from _shown(envs, pictures)
            endless = None if over else endless_text(env, longest)
            yield Ended(number, returned, steps, envs.failures.get(0, endless))
        finally:
            envs.keep([])


def _shown(envs: GymnasiumLanes, pictures: bool) -> Iterator[Seen]:
    """A moment of the one lane, if there is one: its environment may fail before it or in it."""
    picture = envs.render(0) if pictures else None
    if not envs.failures:
        yield Seen(picture)


@dataclass(frozen=True)
class Rendering:
    """How an environment can be looked at. modes: its render modes; fps: pictures per second."""

    modes: tuple[str, ...]
    fps: float


def rendering(spec: EnvSpec) -> Rendering:
    """What the environment says of itself."""
    env = spec.make()
    try:
        modes = env.metadata.get("render_modes") or ()
        fps = env.metadata.get("render_fps") or DEFAULT_FPS
        return Rendering(tuple(map(str, modes)), float(fps))
    finally:
        env.close()


def rendered(spec: EnvSpec, mode: str) -> EnvSpec:
    """The same environment, made to be looked at."""
    return EnvSpec(spec.id, {**spec.kwargs, "render_mode": mode})
