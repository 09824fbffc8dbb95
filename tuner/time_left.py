"""How much is still to come of a launch: its rest played through on its lanes. Pure functions.

A lane is filled as soon as it is free, a trial gets another seed as often as trials did so far, and
a part begins when the one before it is over. So the estimate knows of lanes that stand empty at the
end of each part, and that the seeds of one trial may have to wait for each other.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import ceil

from tuner.racing import LEAST_SHORTLIST, MOST_SHORTLIST, Rule

MOST_PLAYED = 2_000  # runs of a part that are played one by one; those before keep every lane busy


ONE_SEED = Rule(1, 1)


@dataclass(frozen=True)
class Speed:
    """Seconds of a whole run beside others: what its steps cost anyway, and what each lane adds."""

    alone_s: float
    per_lane_s: float

    def run_s(self, busy: int) -> float:
        """With so many lanes busy, this one among them."""
        return self.alone_s + self.per_lane_s * busy


@dataclass(frozen=True)
class Group:
    """Runs that are decided on together: the seeds of an open trial, or all of a fixed list.

    left     of each run in training the share that is still to come
    waiting  runs that no lane has yet
    further  how many seeds more it may be granted
    """

    left: Sequence[float]
    waiting: int
    further: int = 0


@dataclass(frozen=True)
class Ahead:
    """What a launch has before it.

    groups   of the part at hand
    trials   that are not begun, by number; each gets seeds by the rule
    goes_on  share of the decisions that grant another seed
    later    runs of each part behind this one
    """

    groups: Sequence[Group]
    trials: range = range(0)
    rule: Rule = ONE_SEED
    goes_on: float = 0.0
    later: Sequence[int] = ()


@dataclass(frozen=True)
class Forecast:
    """Runs that are not over, and the seconds they will take; None where no pace is known."""

    runs: int
    seconds: float | None


def forecast(ahead: Ahead, lanes: int, speed: Speed | None) -> Forecast:
    """The rest of a launch on so many lanes, at this speed."""
    played = [_play(ahead, max(1, lanes), speed)]
    for runs in ahead.later:
        played.append(_play(Ahead([Group((), runs)]), max(1, lanes), speed))
    known = lanes > 0 and speed is not None
    seconds = sum(part.seconds or 0.0 for part in played) if known else None
    return Forecast(sum(part.runs for part in played), seconds)


def finalists_expected(shortlisted: int, told: int, trials: int) -> int:
    """How many trials will be confirmed, if the share stays as it is now. told: with a value."""
    if told < LEAST_SHORTLIST:
        return min(trials, MOST_SHORTLIST)
    share = shortlisted / told
    return min(trials, MOST_SHORTLIST, max(LEAST_SHORTLIST, round(share * max(trials, told))))


def share_that_goes_on(went_on: int, decided: int) -> float:
    """Of decisions on a trial's seeds; one of each kind is added, so that none means a half."""
    return (went_on + 1) / (decided + 2)


def _play(ahead: Ahead, lanes: int, speed: Speed | None) -> Forecast:
    """One part to its end."""
    run_s = speed.run_s if speed is not None else lambda busy: 0.0
    ahead, skipped = _last_rounds(ahead)
    seconds = skipped * run_s(lanes) / lanes
    part = _Part(ahead, lanes)
    while part.training:
        busy = len(part.training)
        seconds += part.end_next() * run_s(busy)
    return Forecast(part.ended + skipped, seconds)


def _last_rounds(ahead: Ahead) -> tuple[Ahead, int]:
    """Those of a long part that are played, and how many runs come before them."""
    rule = ahead.rule
    typical = rule.start + sum(ahead.goes_on**n for n in range(1, rule.most - rule.start + 1))
    trials = ahead.trials[-ceil(MOST_PLAYED / typical) :]
    skipped = round((len(ahead.trials) - len(trials)) * typical)
    groups = []
    for group in ahead.groups:
        waiting = min(group.waiting, MOST_PLAYED)
        skipped += group.waiting - waiting
        groups.append(Group(group.left, waiting, group.further))
    return Ahead(groups, trials, rule, ahead.goes_on), skipped


class _Part:
    """Lanes at work. Time is counted in shares of a run: all lanes are equally fast.

    training  when each run in a lane ends, and its group
    """

    def __init__(self, ahead: Ahead, lanes: int) -> None:
        self._ahead = ahead
        self._lanes = lanes
        self._open = [len(group.left) + group.waiting for group in ahead.groups]
        self._further = [group.further for group in ahead.groups]
        self._waiting = deque(
            n for n, group in enumerate(ahead.groups) for _ in range(group.waiting)
        )
        self._trials = iter(ahead.trials)
        self._granted = 0.5  # a whole one is another seed
        self._now = 0.0
        self.ended = 0
        self.training = [(left, n) for n, group in enumerate(ahead.groups) for left in group.left]
        heapify(self.training)
        self._fill()

    def end_next(self) -> float:
        """End the next run, fill its lane. Returns the share of a run that went by."""
        end, group = heappop(self.training)
        passed, self._now = end - self._now, end
        self.ended += 1
        self._open[group] -= 1
        if not self._open[group] and self._further[group]:
            self._decide(group)
        self._fill()
        return passed

    def _decide(self, group: int) -> None:
        self._granted += self._ahead.goes_on
        if self._granted >= 1.0:
            self._granted -= 1.0
            self._further[group] -= 1
            self._open[group] = 1
            self._waiting.appendleft(group)

    def _fill(self) -> None:
        while len(self.training) < self._lanes and (self._waiting or self._begin()):
            heappush(self.training, (self._now + 1.0, self._waiting.popleft()))

    def _begin(self) -> bool:
        """Whether there was another trial."""
        trial = next(self._trials, None)
        if trial is None:
            return False
        seeds = self._ahead.rule.seeds_at_first(trial)
        self._waiting.extend([len(self._open)] * seeds)
        self._open.append(seeds)
        self._further.append(self._ahead.rule.most - seeds)
        return True
