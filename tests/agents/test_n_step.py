"""Transitions over several steps: when they are complete, and what they hold."""

import numpy as np
import pytest

from agents.environments import Step
from agents.n_step import Completed, NStep


def pushed(window: NStep, place: int, rewards: list[float], *, end: str = "") -> Completed:
    """Step number `place` of every lane, which observes its number and then the next."""
    lanes = len(rewards)
    brought = Step(
        np.array(rewards), np.full(lanes, end == "terminated"), np.full(lanes, end == "truncated")
    )
    now = np.full((lanes, 1), float(place), dtype=np.float32)
    return window.push(now, np.full(lanes, place), brought, now + 1)


def held(completed: Completed) -> list[tuple[int, int, int, float, float]]:
    """(lane, first observation, last observation, reward, goes_on)"""
    return [
        (int(lane), int(first[0]), int(last[0]), float(reward), float(goes_on))
        for lane, first, last, reward, goes_on in zip(
            completed.environment,
            completed.observation,
            completed.next_observation,
            completed.reward,
            completed.goes_on,
            strict=True,
        )
    ]


def test_a_transition_is_complete_after_n_steps_with_its_discounted_rewards() -> None:
    window = NStep(features=1)
    window.admit(n=3, gamma=0.5)

    found = [held(pushed(window, place, [float(place + 1)])) for place in range(5)]

    assert found[:2] == [[], []]
    assert found[2] == [(0, 0, 3, 1 + 0.5 * 2 + 0.25 * 3, 0.25)]
    assert found[3] == [(0, 1, 4, 2 + 0.5 * 3 + 0.25 * 4, 0.25)]
    assert found[4][0][:3] == (0, 2, 5)


@pytest.mark.parametrize(("end", "goes_on"), [("terminated", [0, 0]), ("truncated", [0.5, 1.0])])
def test_the_end_of_an_episode_completes_all_of_them_the_oldest_first(
    end: str, goes_on: list[float]
) -> None:
    window = NStep(features=1)
    window.admit(n=5, gamma=0.5)
    pushed(window, 0, [1.0])

    found = held(pushed(window, 1, [8.0], end=end))

    assert found == [(0, 0, 2, 5.0, goes_on[0]), (0, 1, 2, 8.0, goes_on[1])]
    assert held(pushed(window, 2, [1.0])) == []


def test_lanes_of_other_lengths_do_not_notice_each_other() -> None:
    window = NStep(features=1)
    window.admit(n=1, gamma=0.9)
    pushed(window, 0, [7.0])
    window.admit(n=2, gamma=0.5)

    first, second = (held(pushed(window, place, [1.0, 2.0])) for place in (1, 2))
    window.keep([1])
    third = held(pushed(window, 3, [4.0]))

    assert first == [(0, 1, 2, 1.0, 1.0)]
    assert second == [(0, 2, 3, 1.0, 1.0), (1, 1, 3, 3.0, 0.5)]
    assert third == [(0, 2, 4, 4.0, 0.5)]
