"""Where a study stands, seen from outside: by its database alone. Pure functions.

A run is recorded when it is over, with the seconds it took. So the number of lanes is at least that
of the runs that were in training at once, and a lane was filled again whenever a run was recorded.
"""

from collections.abc import Sequence
from itertools import accumulate
from statistics import fmean

from tuner.finals import runs_to_come
from tuner.progress import PHASES, Best, Progress, mean_curve
from tuner.racing import Decision, shortlist
from tuner.spending import covered_s
from tuner.storage import Run
from tuner.summary import StudySummary
from tuner.time_left import (
    Ahead,
    Forecast,
    Group,
    Speed,
    finalists_expected,
    forecast,
    share_that_goes_on,
)
from tuner.writer_lock import Writer

OVER = ("COMPLETE", "PRUNED", "FAIL")
UNUSUAL = {"PRUNED": "pruned", "FAIL": "failed"}
RECENT_ROUNDS = 2


def standing(summary: StudySummary, writer: Writer | None, now: float) -> Progress:
    """The study at `now`, seconds of the epoch. writer: who holds its database."""
    runs = sorted((run for run in summary.finals.runs if run.recorded_at), key=_end)
    done = sum(trial.state in OVER for trial in summary.trials)
    at_work_s = covered_s([(_end(run) - run.seconds, _end(run)) for run in runs])
    asked = _asked(summary, writer)
    to_do = [part for part in _open_parts(summary, done) if part in asked]
    since = writer.since if writer is not None and to_do else None
    phase = to_do[0] if to_do else _phase(summary, done)
    recent = [run for run in runs if _end(run) >= since] if since is not None else []
    lanes = _lanes(recent)
    parts = asked if to_do else PHASES
    ahead = _ahead(summary, phase, parts, recent[-lanes:] if lanes else [], now)
    found = forecast(ahead, lanes, _speed(recent, lanes))
    over = phase == "done"
    counts = summary.counts
    return Progress(
        study=summary.study.name,
        phase=phase,
        running=since is not None,
        trials=max(summary.study.study.trials, done),
        trials_done=done,
        states=[(word, counts[state]) for state, word in UNUSUAL.items() if state in counts],
        runs=summary.runs_finished + (0 if over else found.runs),
        runs_done=summary.runs_finished,
        lanes=None,
        steps_per_second=_rate(recent, lanes, summary.study.budget.steps, now),
        elapsed_s=now - since if since is not None else at_work_s,
        left_s=_left(found, over),
        best=_best(summary),
        measures=summary.env.measures,
    )


def _asked(summary: StudySummary, writer: Writer | None) -> Sequence[str]:
    """The parts of this study that the writer was asked for."""
    if writer is None or writer.task is None or writer.task.study != summary.study.name:
        return ()
    return writer.task.parts


def _open_parts(summary: StudySummary, done: int) -> list[str]:
    """The parts that are not over."""
    finals, is_searched = summary.finals, done >= summary.study.study.trials
    is_any = bool(summary.complete) or not is_searched
    is_open = (not is_searched, is_any and bool(finals.to_confirm), is_any and not finals.is_tested)
    return [part for part, still in zip(PHASES, is_open, strict=True) if still]


def _phase(summary: StudySummary, done: int) -> str:
    """Of a study that nobody works on."""
    phase = next(iter(_open_parts(summary, done)), "done")
    if phase == "confirm" and not any(run.purpose == phase for run in summary.finals.runs):
        return "searched"
    return phase


def _left(found: Forecast, over: bool) -> float | None:
    return 0.0 if over else found.seconds


def _end(run: Run) -> float:
    assert run.recorded_at is not None
    return run.recorded_at.timestamp()


def _lanes(runs: Sequence[Run]) -> int:
    """How many runs were in training at once."""
    begins = [(_end(run) - run.seconds, 1) for run in runs]
    ends = [(_end(run), -1) for run in runs]
    changes = (change for _, change in sorted([*begins, *ends]))
    return max(accumulate(changes), default=0)


def _speed(runs: Sequence[Run], lanes: int) -> Speed | None:
    """By the last two rounds; how much of a run's time is the other lanes' cannot be seen."""
    if not lanes:
        return None
    seconds = fmean(run.seconds for run in runs[-RECENT_ROUNDS * lanes :])
    return Speed(seconds / 2, seconds / 2 / lanes)


def _rate(runs: Sequence[Run], lanes: int, steps: int, now: float) -> float | None:
    """Environment steps per second of the runs recorded last; None before there are such."""
    if not lanes:
        return None
    recent = runs[-RECENT_ROUNDS * lanes :]
    begun = min(_end(run) - run.seconds for run in recent)
    return len(recent) * steps / max(1.0, now - begun)


def _best(summary: StudySummary) -> Best | None:
    if not summary.complete:
        return None
    best = summary.complete[0]
    assert best.value is not None and best.sample is not None
    curves = [[fmean(returns) for returns in run.curve.get("returns", ())] for run in best.runs]
    return Best(best.number, best.value, best.sample.scores, mean_curve(curves))


def _ahead(
    summary: StudySummary, phase: str, parts: Sequence[str], last: Sequence[Run], now: float
) -> Ahead:
    """last: the runs whose lanes were filled again, one each, if there was work."""
    if phase == "done":
        return Ahead([])
    phase = "confirm" if phase == "searched" else phase
    later = _later(summary, phase, parts)
    shares = [max(0.0, 1.0 - (now - _end(run)) / run.seconds) for run in last]
    if phase != "search":
        finals = summary.finals
        runs = len(finals.to_confirm if phase == "confirm" else finals.to_test)
        shares = shares[:runs]
        return Ahead([Group(shares, runs - len(shares))], later=later)
    return _search_ahead(summary, shares, later)


def _later(summary: StudySummary, phase: str, parts: Sequence[str]) -> list[int]:
    """The runs of each of the parts behind the one at hand."""
    field = {trial.number: trial.sample.scores for trial in summary.complete if trial.sample}
    short = len(shortlist(field))
    finalists = finalists_expected(short, len(field), summary.study.study.trials)
    recorded = {part: sum(run.purpose == part for run in summary.finals.runs) for part in PHASES}
    if phase != "search":
        finalists = len(summary.finals.finalists) - 1
    parts = parts[parts.index(phase) + 1 :]
    return runs_to_come(summary.study.seeds, finalists, parts, recorded)


def _search_ahead(summary: StudySummary, shares: list[float], later: Sequence[int]) -> Ahead:
    """The search, the shares that are left of runs in training dealt out to its open trials."""
    rule = summary.study.race
    groups = []
    for trial in summary.trials:
        if trial.state != "RUNNING":
            continue
        further = sum(decision.goes_on for decision in trial.race)
        granted = rule.seeds_at_first(trial.number) + further
        open_runs = max(0, granted - sum(run.score is not None for run in trial.runs))
        mine, shares = shares[:open_runs], shares[open_runs:]
        groups.append(Group(mine, open_runs - len(mine), max(0, rule.most - granted)))
    decided = [d for trial in summary.trials for d in trial.race if d.verdict != "full"]
    return Ahead(
        groups=groups,
        trials=range(len(summary.trials), summary.study.study.trials),
        rule=rule,
        goes_on=share_that_goes_on(sum(map(_goes_on, decided)), len(decided)),
        later=later,
    )


def _goes_on(decision: Decision) -> bool:
    return decision.goes_on
