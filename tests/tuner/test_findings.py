"""What the figures of a study show, as numbers: no Plotly, no browser."""

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev

import pytest

from tests.tuner.summaries import LANES, RUN_S, summary_of
from tuner.findings.learning_curves import learning_curves
from tuner.findings.optimism import MOST_LINES, optimism
from tuner.findings.race import race
from tuner.findings.seed_strips import MOST_TRIALS, Role, seed_strips
from tuner.findings.spread import explained, spread
from tuner.findings.timeline import timeline
from tuner.phases import DEFAULT_CONFIG
from tuner.seed_pools import Pool

ROOT = Path(__file__).parents[2]
FINDERS = (seed_strips, learning_curves, optimism, spread, race, timeline)


def test_findings_are_found_without_plotly() -> None:
    names = [path.stem for path in (ROOT / "tuner/findings").glob("[a-z]*.py")]
    imports = "".join(f"import tuner.findings.{name}\n" for name in names)

    program = f"{imports}import sys; sys.exit('plotly' in sys.modules)"

    assert len(names) >= len(FINDERS)
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_before_anything_is_recorded_there_is_nothing_to_show() -> None:
    summary = summary_of(trials=1, running=1, seeds=1, finals="none")

    assert [find(summary) for find in FINDERS] == [None] * len(FINDERS)


def test_strips_stand_best_mean_first_with_finalists_and_winner_told_apart() -> None:
    summary = summary_of()

    found = seed_strips(summary)

    assert found is not None and summary.finals.choice is not None
    means = [fmean(strip.scores) for strip in found.strips]
    assert [strip.mean for strip in found.strips] == means == sorted(means, reverse=True)
    winners = [strip.trial for strip in found.strips if strip.role == Role.WINNER]
    finalists = [strip.trial for strip in found.strips if strip.role == Role.FINALIST]
    assert winners == [summary.finals.choice.winner]
    assert {*winners, *finalists, DEFAULT_CONFIG} == set(summary.finals.finalists)


def test_strips_show_every_seed_and_which_broke_down() -> None:
    summary = summary_of(failed={2: 1})

    found = seed_strips(summary)

    assert found is not None
    strip = next(strip for strip in found.strips if strip.trial == 2)
    assert list(strip.scores) == [run.score for run in summary.trials[2].runs]
    assert list(strip.failed) == [True, *[False] * (len(strip.scores) - 1)]
    assert "1 run broke down" in found.caption


def test_of_a_thousand_trials_the_best_have_strips_and_the_title_says_so() -> None:
    found = seed_strips(summary_of(trials=1000))

    assert found is not None
    assert len(found.strips) == MOST_TRIALS
    assert found.title == "Every seed of the best 150 of 1,000 trials"


def test_a_study_without_a_winner_says_so() -> None:
    found = seed_strips(summary_of(finals="none"))

    assert found is not None
    assert "no winner yet" in found.caption


def test_curves_are_means_over_episodes_and_then_over_whole_runs() -> None:
    summary = summary_of(trials=1, seeds=3, failed={0: 1})

    found = learning_curves(summary)

    assert found is not None
    (curves,) = found.trials
    runs = summary.trials[0].runs[1:]
    assert curves.seeds == [[fmean(mark) for mark in run.curve["returns"]] for run in runs]
    assert curves.mean == [fmean(column) for column in zip(*curves.seeds, strict=True)]
    assert (curves.failed, len(curves.seeds)) == (1, 2)
    assert "(2 tuning seeds a trial)" in found.caption
    assert "1 run that broke down left out" in found.caption


def test_a_trial_of_which_every_run_broke_down_has_no_curve() -> None:
    both = learning_curves(summary_of(trials=2, seeds=2, failed={0: 2}))
    alone = learning_curves(summary_of(trials=1, seeds=2, failed={0: 2}))

    assert both is not None and [trial.trial for trial in both.trials] == [1]
    assert alone is None


def test_the_winner_has_a_curve_wherever_it_stands() -> None:
    summary = summary_of(trials=40)
    last = summary.complete[-1].number
    assert summary.finals.choice is not None
    crowned = replace(summary.finals, runs=summary.finals.runs)
    crowned.__dict__["choice"] = replace(summary.finals.choice, winner=last)

    found = learning_curves(replace(summary, finals=crowned))

    assert found is not None
    leading = [trial.number for trial in summary.complete[:4]]
    assert [trial.trial for trial in found.trials] == [*leading, last]


def test_the_optimism_is_that_of_the_evidence() -> None:
    summary = summary_of()

    found = optimism(summary)

    assert found is not None and summary.finals.choice is not None
    evidence = summary.evidence(summary.finals.choice.winner)
    (winner,) = [line for line in found.finalists if line.is_winner]
    assert [stage.pool for stage in winner.stages] == [Pool.TUNE, Pool.CONFIRM, Pool.TEST]
    samples = (evidence.tune, evidence.confirm, evidence.test)
    assert [stage.mean for stage in winner.stages] == [sample.mean for sample in samples if sample]
    assert evidence.gap is not None and found.gap == evidence.gap.mean


def test_bars_stand_on_five_fresh_seeds_or_more() -> None:
    found = optimism(summary_of(seeds=5, raced=False))

    assert found is not None
    stages = [stage for line in found.finalists for stage in line.stages]
    assert {stage.seeds for stage in stages} == {5, 6, 12}
    assert all((stage.interval is not None) == (stage.pool != Pool.TUNE) for stage in stages)
    assert "from 5 fresh seeds on" in found.caption


def test_of_many_finalists_the_winner_and_the_default_are_always_shown() -> None:
    summary = summary_of(trials=1000, seeds=2, raced=False)

    found = optimism(summary)

    assert found is not None
    assert found.among > MOST_LINES == len(found.finalists)
    assert any(line.is_winner for line in found.finalists)
    assert any(line.number == DEFAULT_CONFIG for line in found.finalists)
    assert f"{found.among - MOST_LINES} finalists further down" in found.caption


def test_spread_is_over_the_seeds_of_trials_that_have_several() -> None:
    summary = summary_of(trials=20, hparams=10)
    values = {trial.number: trial for trial in summary.trials}

    found = spread(summary)

    assert found is not None
    for trial in found.trials:
        assert trial.std == pytest.approx(stdev(run.score for run in values[trial.trial].runs))
    for panel in found.panels:
        shown = [values[trial.trial].params.get(panel.hparam) for trial in found.trials]
        assert list(map(str, panel.values)) == list(map(str, shown))
    assert spread(summary_of(seeds=1)) is None


def test_a_hyperparameter_that_tells_steady_trials_explains_the_spread() -> None:
    stds = [1.0, 2.0, 3.0, 10.0, 11.0, 12.0]

    told, untold = explained("aaabbb", stds), explained("ababab", stds)

    assert told is not None and untold is not None
    assert told > 0.5 > 0.1 > untold
    assert explained("aaaaaa", stds) is None
    assert explained("aaabbb", [1.0] * 6) is None


def test_a_decision_stands_where_its_runs_were_recorded() -> None:
    summary = summary_of()

    found = race(summary)

    assert found is not None
    assert found.decisions == sum(len(trial.race) for trial in summary.trials)
    for judged in found.judged:  # made up one trial after the other
        before = sum(len(trial.runs) for trial in summary.trials[: judged.decision.trial])
        assert judged.runs == before + judged.decision.seeds


def test_the_leader_steps_only_where_it_changes() -> None:
    found = race(summary_of())

    assert found is not None
    steps = [(one.decision.leader, one.decision.leader_value) for one in found.leaders]
    assert len(steps) > 1
    assert all(one != other for one, other in pairwise(steps))


def test_lanes_and_runs_add_up() -> None:
    summary = summary_of()

    found = timeline(summary)

    assert found is not None
    window = found.times[1] - found.times[0]
    work = window * sum(sum(lanes) for lanes in found.lanes.values())
    assert work == pytest.approx(RUN_S * len(summary.finals.runs))
    assert sum(counts[-1] for counts in found.recorded.values()) == len(summary.finals.runs)
    assert max(map(sum, zip(*found.lanes.values(), strict=True))) <= LANES + 1e-9


def test_hours_in_which_nobody_worked_are_cut_out() -> None:
    straight, broken = timeline(summary_of()), timeline(summary_of(pause_s=36_000.0))

    assert straight is not None and broken is not None
    assert broken.times[-1] < straight.times[-1] + 2 * RUN_S
    ((_, rest),) = broken.breaks_s.items()
    assert rest == pytest.approx(36_000.0, abs=2 * RUN_S)
    assert "10.0 h in all, left out" in broken.caption
    assert straight.breaks_s == {}
