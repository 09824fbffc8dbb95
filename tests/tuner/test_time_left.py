"""The time that is left: launches that are simulated to the end, asked on the way."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tuner.outlook import Moment, Outlook
from tuner.pace import Pace
from tuner.progress import Lanes
from tuner.racing import Rule
from tuner.time_left import (
    Ahead,
    Forecast,
    Group,
    Speed,
    finalists_expected,
    forecast,
    share_that_goes_on,
)

STEPS = 1_000
TEN_S = Speed(10.0, 0.0)  # however many lanes are busy


def test_whole_rounds_are_counted_of_every_part() -> None:
    ahead = Ahead([Group((), 9)], later=[4, 5])

    assert forecast(ahead, lanes=4, speed=TEN_S) == Forecast(18, 30.0 + 10.0 + 20.0)


def test_runs_in_training_count_by_what_is_left_of_them() -> None:
    ahead = Ahead([Group((0.25, 0.5), 1)])

    assert forecast(ahead, lanes=2, speed=TEN_S) == Forecast(3, 12.5)


def test_lanes_that_stand_empty_make_the_others_faster() -> None:
    shared = Speed(2.0, 2.0)

    assert forecast(Ahead([Group((), 5)]), lanes=4, speed=shared).seconds == 10.0 + 4.0


def test_seeds_of_one_trial_wait_for_each_other() -> None:
    rule = Rule(start=2, most=5)
    raced = Ahead([], range(10, 11), rule, goes_on=1.0)

    assert forecast(raced, lanes=8, speed=TEN_S) == Forecast(5, 40.0)


def test_the_first_trials_begin_with_three_seeds_and_none_goes_on_for_ever() -> None:
    rule = Rule(start=2, most=3)

    assert forecast(Ahead([], range(12), rule, goes_on=0.0), 1, TEN_S).runs == 10 * 3 + 2 * 2
    assert forecast(Ahead([], range(12), rule, goes_on=1.0), 1, TEN_S).runs == 12 * 3


@pytest.mark.parametrize("goes_on", [0.2, 0.5, 0.8])
def test_a_long_search_is_told_at_once_and_the_same_as_played_through(goes_on: float) -> None:
    rule = Rule(start=2, most=5)
    parts = [Ahead([], range(n, n + 1_000), rule, goes_on) for n in range(10, 20_010, 1_000)]
    played = sum(forecast(part, 16, TEN_S).runs for part in parts)

    found = forecast(Ahead([], range(10, 20_010), rule, goes_on), 16, TEN_S)

    assert found.runs == pytest.approx(played, rel=0.01)
    assert found.seconds == pytest.approx(found.runs / 16 * 10, rel=0.01)


def test_without_lanes_or_pace_the_runs_are_told_and_no_time() -> None:
    ahead = Ahead([Group((), 9)], later=[4])

    assert forecast(ahead, 0, TEN_S) == forecast(ahead, 4, None) == Forecast(13, None)


def test_finalists_are_expected_by_the_share_so_far_within_their_bounds() -> None:
    assert finalists_expected(0, 0, 24) == 10
    assert finalists_expected(3, 8, 24) == 9
    assert finalists_expected(3, 24, 24) == 3
    assert finalists_expected(2, 2, 2) == 2


def test_before_any_decision_half_of_them_go_on() -> None:
    assert share_that_goes_on(0, 0) == 0.5
    assert share_that_goes_on(0, 18) == 0.05


def test_the_pace_tells_what_is_common_from_what_each_lane_adds() -> None:
    pace, steps, now = Pace(STEPS), 0.0, 0.0
    true = Speed(4.0, 0.5)
    for second in range(20):
        busy = 16 if second < 10 else 4
        pace.see(now, round(steps), busy)
        steps, now = steps + busy * STEPS / true.run_s(busy), now + 1.0

    found = pace.speed
    assert found is not None
    assert found.run_s(16) == pytest.approx(true.run_s(16), rel=0.1)
    assert found.run_s(4) == pytest.approx(true.run_s(4), rel=0.1)


def test_an_old_pace_is_forgotten() -> None:
    pace, steps = Pace(STEPS), 0
    for second in range(200):
        pace.see(float(second), steps, 4)
        steps += 4_000 if second < 100 else 400

    assert pace.steps_per_second == pytest.approx(400)


@dataclass(frozen=True)
class Launch:
    """A launch to simulate. slow: a run's length over the others', by number, as configurations
    differ; start_s: until the first step; is_measured: whether lanes were measured before;
    confirm_expected: while the search goes on, where that is not what comes; drift: by what share
    a run at the end takes longer than one at the start; within: the worst error after a fifth."""

    lanes: int
    true: Speed
    goes_on: float
    start_s: float = 3.0
    trials: int = 30
    confirm: int = 55
    test: int = 20
    slow: tuple[float, ...] = (1.0,)
    is_measured: bool = False
    confirm_expected: int | None = None
    drift: float = 0.0
    within: float = 0.3


LAUNCHES = {
    "equal runs": Launch(16, Speed(5.0, 0.6), goes_on=0.4),
    "cost is nearly all the lanes'": Launch(16, Speed(1.0, 0.9), goes_on=0.4),
    "cost is nobody's": Launch(16, Speed(12.0, 0.0), goes_on=0.4),
    "most trials go on": Launch(16, Speed(5.0, 0.6), goes_on=0.8),
    "few lanes": Launch(2, Speed(5.0, 0.6), goes_on=0.4),
    "more lanes than runs": Launch(64, Speed(5.0, 0.6), goes_on=0.4, is_measured=True),
    "runs of two lengths": Launch(16, Speed(5.0, 0.6), goes_on=0.4, slow=(0.7, 1.4, 0.9)),
    "a long start": Launch(16, Speed(5.0, 0.6), goes_on=0.4, start_s=12.0),
    "no search": Launch(16, Speed(5.0, 0.6), goes_on=0.4, trials=0, confirm=110, test=40),
    "10 finalists expected, 3 left": Launch(
        16, Speed(5.0, 0.6), goes_on=0.4, confirm=20, confirm_expected=55, within=1.0
    ),
    "3 finalists expected, 10 left": Launch(
        16, Speed(5.0, 0.6), goes_on=0.4, confirm=55, confirm_expected=20, within=0.45
    ),
    "ever slower": Launch(16, Speed(5.0, 0.6), goes_on=0.4, drift=0.3, within=0.2),
    "ever faster": Launch(16, Speed(5.0, 0.6), goes_on=0.4, drift=-0.3, within=0.4),
    "slower, and 3 finalists left of 10": Launch(
        16,
        Speed(5.0, 0.6),
        goes_on=0.4,
        drift=0.3,
        confirm=20,
        confirm_expected=55,
        within=0.85,
    ),
}


@pytest.mark.parametrize("name", LAUNCHES)
def test_after_a_fifth_of_a_launch_the_time_left_is_right_within_bounds(name: str) -> None:
    launch = LAUNCHES[name]
    shown = list(simulated(launch))
    whole = shown[-1][0]

    late = [(now, left) for now, left in shown if whole / 5 <= now <= whole * 0.95]

    assert late
    for now, left in late:
        assert left is not None
        wrong = abs(left - (whole - now)) / (whole - now)
        assert wrong <= launch.within, f"{now:.0f} of {whole:.0f} s: {left:.0f} s, wrong"


def simulated(launch: Launch) -> Iterator[tuple[float, float | None]]:
    """(seconds since the launch began, those that were shown as left), five times a second."""
    outlook, play = Outlook(STEPS), _Played(launch)
    if launch.is_measured:
        outlook.expect({n: n * STEPS / launch.true.run_s(n) for n in (8, 16, 32, 64, 128)})
    while not play.is_over:
        now = play.now
        lanes = Lanes(launch.lanes, len(play.training), 1.0) if now >= launch.start_s else None
        outlook.see(Moment(now, int(play.steps), play.done, lanes), play.ahead)
        yield now, outlook.left_s
        play.advance(0.2)
    yield play.now, 0.0


class _Played:
    """The truth: trials whose seeds go on by a fixed pattern, then two parts."""

    def __init__(self, launch: Launch) -> None:
        self.launch, self.now, self.steps, self.done = launch, 0.0, 0.0, 0
        self.training: list[list[float]] = []  # [what is left of it, its length, trial]
        self._begun = self._decided = self._went_on = self._runs = 0
        self._open: dict[int, list[int]] = {}  # trial → [unscored, granted, not in a lane yet]
        self._parts = [launch.confirm, launch.test]
        self._waiting = 0
        self._rule = Rule(2, 5)
        self._refill()

    @property
    def is_over(self) -> bool:
        return not (self.training or self._open or self._waiting or self._parts)

    def ahead(self) -> Ahead:
        groups = [
            Group(
                [left for left, _, trial in self.training if trial == number],
                waiting,
                self._rule.most - granted,
            )
            for number, (_, granted, waiting) in self._open.items()
        ]
        fixed = Group([left for left, _, trial in self.training if trial < 0], self._waiting)
        trials = range(self._begun, self.launch.trials)
        goes_on = share_that_goes_on(self._went_on, self._decided)
        return Ahead([*groups, fixed], trials, self._rule, goes_on, self._later)

    @property
    def _later(self) -> list[int]:
        """The parts behind the one at hand, as a launch expects them."""
        expected = self.launch.confirm_expected
        is_searching = bool(self._open) or self._begun < self.launch.trials
        return [expected, *self._parts[1:]] if expected and is_searching else self._parts

    @property
    def _slowness(self) -> float:
        """How long a run takes now, over one at the start."""
        launch = self.launch
        whole = launch.trials * (2 + launch.goes_on) + launch.confirm + launch.test
        return 1.0 + launch.drift * min(1.0, self.done / whole)

    def advance(self, seconds: float) -> None:
        self.now += seconds
        if self.now < self.launch.start_s:
            return
        share = seconds / (self.launch.true.run_s(len(self.training)) * self._slowness)
        ended = []
        for run in self.training:
            run[0] -= share / run[1]
            self.steps += STEPS * share / run[1]
            if run[0] <= 0:
                ended.append(run)
        for run in ended:
            self.training.remove(run)
            self.done += 1
            if run[2] >= 0:
                self._scored(int(run[2]))
        self._refill()

    def _scored(self, trial: int) -> None:
        state = self._open[trial]
        state[0] -= 1
        if state[0]:
            return
        if state[1] < self._rule.most:
            self._decided += 1
            # low-discrepancy: as often as asked, in no rhythm with the trials
            if (self._decided * 0.618_034) % 1.0 < self.launch.goes_on:
                self._went_on += 1
                self._open[trial] = [1, state[1] + 1, 1]
                return
        del self._open[trial]

    def _refill(self) -> None:
        while len(self.training) < self.launch.lanes:
            trial = self._next()
            if trial is None:
                return
            length = self.launch.slow[self._runs % len(self.launch.slow)]
            self.training.append([1.0, length, trial])
            self._runs += 1

    def _next(self) -> int | None:
        for trial, state in self._open.items():
            if state[2]:
                state[2] -= 1
                return trial
        if self._begun < self.launch.trials:
            trial, seeds = self._begun, self._rule.seeds_at_first(self._begun)
            self._open[trial] = [seeds, seeds, seeds - 1]
            self._begun += 1
            return trial
        if not self._waiting and not self._open and not self.training and self._parts:
            self._waiting = self._parts.pop(0)
        if self._waiting:
            self._waiting -= 1
            return -1
        return None
