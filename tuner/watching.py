"""Greedy episodes of what `tuner train` wrote, to look at: in a window, or as films."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from agents.exactness import exact_arithmetic
from agents.watching import (
    PICTURES,
    WINDOW,
    Ended,
    Rendering,
    Seen,
    rendered,
    rendering,
    step_by_step,
)
from tuner import display, trained_agent
from tuner.errors import TooManyFailures, UsageError
from tuner.films import Film, Target, filming
from tuner.trained_agent import TrainedAgent


def show(directory: Path, episodes: int, seed: int) -> Iterator[Ended]:
    """The episodes of `evaluate`, one after the other in a window, until somebody closes it."""
    agent = trained_agent.read(directory)
    _rendering(agent, WINDOW, "in a window")
    if not display.is_there():
        raise UsageError("no display; write a film with --gif FILE or --mp4 FILE")
    for event in _played(agent, WINDOW, episodes, seed):
        if isinstance(event, Ended):
            yield event
        elif display.window_closed():
            return


def record(
    directory: Path,
    episodes: int,
    seed: int,
    targets: Sequence[Target],
    tell: Callable[[Ended], None],
    *,
    most_seconds: float = math.inf,
) -> list[Film]:
    """The episodes of `evaluate`, one after the other in a film for each target.

    most_seconds: of a film; what goes on longer is played to its end and not shown
    """
    agent = trained_agent.read(directory)
    fps = _rendering(agent, PICTURES, "as pictures").fps
    display.do_without()
    with ExitStack() as stack:
        films = [stack.enter_context(filming(target, fps)) for target in targets]
        for event in _played(agent, PICTURES, episodes, seed):
            if isinstance(event, Ended):
                tell(event)
                continue
            for film in films:
                if film.seconds < most_seconds:
                    film.add(event.picture)
    return films


def _rendering(agent: TrainedAgent, mode: str, how: str) -> Rendering:
    found = rendering(agent.file.env_spec)
    if mode not in found.modes:
        modes = ", ".join(found.modes) or "none"
        raise UsageError(
            f"env '{agent.file.env.id}' cannot be rendered {how}: it has no render mode "
            f"'{mode}' (its render modes: {modes})"
        )
    return found


def _played(agent: TrainedAgent, mode: str, episodes: int, seed: int) -> Iterator[Seen | Ended]:
    """What `step_by_step` yields, up to a failure of the environment."""
    env = rendered(agent.file.env_spec, mode)
    with exact_arithmetic():
        for event in step_by_step(agent.policy, env, agent.facts, seed, episodes=episodes):
            if isinstance(event, Ended) and event.failure is not None:
                raise TooManyFailures(f"the environment failed:\n{event.failure}")
            yield event
