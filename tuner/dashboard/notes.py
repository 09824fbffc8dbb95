"""What the dashboard's pages say about a study and its finalists, in Markdown. Pure functions."""

import shlex
from collections.abc import Iterator, Sequence

from tuner.evidence import Evidence, Sample
from tuner.finals import Finals
from tuner.phases import DEFAULT_CONFIG
from tuner.racing import Choice
from tuner.seed_pools import Pool
from tuner.spending import spent
from tuner.storage import DEFAULT_URL
from tuner.summary import StudySummary
from tuner.wording import ends, points, sentence

POOLS = ((Pool.TUNE, "tuning"), (Pool.CONFIRM, "confirmation"), (Pool.TEST, "test"))


def study_note(summary: StudySummary, url: str, commands: Sequence[str]) -> str:
    """The result, the finalists, what it cost, how to go on, how it was made.

    commands  the launches, as they were recorded
    """
    parts = [_result(summary), _finalists(summary), _cost(summary), _next(summary, url)]
    if commands:
        parts.append("### Made by\n\n" + _shell(commands))
    return "\n\n".join(filter(None, parts)) + "\n"


def finalist_note(summary: StudySummary, trial: int) -> str:
    """One finalist's seeds, and why it won or lost."""
    evidence, finals = summary.evidence(trial), summary.finals
    rows = [
        f"| {name} | {sample.n} | {points(sample.mean)} | {_interval(sample)} | "
        f"{points(sample.spread.minimum)} | {points(sample.spread.maximum)} | {_solved(sample)} |"
        for (_, name), sample in zip(POOLS, _samples(evidence), strict=True)
        if sample is not None
    ]
    head = (
        "| seeds | n | mean | 95 % interval of the mean | lowest | highest | solved |\n"
        "|---|---:|---:|---|---:|---:|---:|"
    )
    verdict = _verdict(finals, trial)
    said = f"\n\n> {sentence(evidence)}" if evidence.test is not None else ""
    return "\n".join([f"**{verdict}**{said}", "", head, *rows, "", _why(finals, trial)]) + "\n"


def _result(summary: StudySummary) -> str:
    if summary.best is None:
        return f"### Result\n\nNo trial is complete yet; {_progress(summary)}."
    evidence = summary.evidence(summary.best)
    lines = [f"> {sentence(evidence)}"]
    if not summary.finals.is_tested:
        lines.append(f"Not at its end: {_progress(summary)}.")
    return "### Result\n\n" + "\n\n".join(lines)


def _progress(summary: StudySummary) -> str:
    done = sum(count for state, count in summary.counts.items() if state not in OPEN_STATES)
    return (
        f"{done} of {summary.study.study.trials} trials and {summary.runs_finished:,} runs are over"
    )


OPEN_STATES = ("RUNNING", "WAITING")


def _finalists(summary: StudySummary) -> str:
    """A table of the configurations that reached fresh seeds; "" before there are any."""
    finals, seeds = summary.finals, summary.study.seeds
    evidences = {trial: summary.evidence(trial) for trial in finals.finalists}
    if all(evidence.confirm is None for evidence in evidences.values()):
        return ""
    rows = [
        f"| {_name(finals.choice, trial)} | " + " | ".join(_cells(found)) + " |"
        for trial, found in evidences.items()
    ]
    return "\n".join(
        [
            "### Finalists",
            "",
            "Means over seeds, with 95 % intervals. Tuning seeds found a trial and flatter it; "
            f"{seeds.confirm} confirmation seeds chose among the finalists; {seeds.test} test "
            "seeds chose nothing.",
            "",
            "| configuration | tuning | confirmation | test |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def _cost(summary: StudySummary) -> str:
    cost = spent(summary)
    whole, names = cost.whole, {pool.word: name for pool, name in POOLS}
    if not whole.runs:
        return ""
    shown = ", ".join(
        f"{purpose.runs:,} {names[purpose.name]}" for purpose in cost.purposes if purpose.runs
    )
    failures = "none broke down" if not whole.failed else f"{whole.failed} broke down"
    hours = whole.training_s / 3600
    return (
        f"### Spent\n\n{len(summary.trials):,} trials; {whole.runs:,} runs ({shown}; {failures}); "
        f"{whole.steps:,} environment steps; {hours:,.1f} hours in lanes, several of them side by "
        "side."
    )


def _next(summary: StudySummary, url: str) -> str:
    """What to type; url: of the database."""
    name = summary.study.name
    option = "" if url == DEFAULT_URL else f" --storage {shlex.quote(url)}"
    steps = [f"tuner export {name}{option} -o hparams.json", "tuner verify hparams.json"]
    if not summary.finals.is_tested and summary.complete:
        steps.insert(0, f"tuner confirm {name}{option}  # test it on fresh seeds")
    return "### Use it\n\n" + _shell(steps) if summary.complete else ""


def _shell(commands: Sequence[str]) -> str:
    return "\n".join(["```sh", *commands, "```"])


def _name(choice: Choice | None, trial: int) -> str:
    name = "default configuration" if trial == DEFAULT_CONFIG else f"trial {trial}"
    return f"**{name}** (chosen)" if choice is not None and trial == choice.winner else name


def _samples(evidence: Evidence) -> tuple[Sample | None, Sample | None, Sample | None]:
    if evidence.trial is None:
        return None, evidence.default_confirm or evidence.confirm, evidence.test
    return evidence.tune, evidence.confirm, evidence.test


def _cells(evidence: Evidence) -> Iterator[str]:
    for (pool, _), sample in zip(POOLS, _samples(evidence), strict=True):
        yield _cell(sample, pool)


def _cell(sample: Sample | None, pool: Pool) -> str:
    """As "481.9 (457.9 to 500.0)"; trials have as many tuning seeds as they raced for."""
    if sample is None:
        return "-"
    shown = sample.shown_interval
    interval = "" if shown is None else f" ({ends(shown)})"
    seeds = f", {sample.n} seeds" if pool == Pool.TUNE else ""
    return f"{points(sample.mean)}{interval}{seeds}"


def _interval(sample: Sample) -> str:
    interval = sample.shown_interval
    return "-" if interval is None else f"{ends(interval)} ({interval.method})"


def _solved(sample: Sample) -> str:
    return "-" if sample.solved is None else f"{sample.solved} of {sample.n}"


def _verdict(finals: Finals, trial: int) -> str:
    choice = finals.choice
    if choice is None:
        return "Finalist: its confirmation seeds are still to be trained."
    if trial == choice.winner:
        return "Chosen" + (", and tested on seeds that chose nothing." if finals.is_tested else ".")
    return "Finalist, not chosen."


def _why(finals: Finals, trial: int) -> str:
    choice = finals.choice
    if choice is None:
        return ""
    return " ".join(_reasons(choice, trial))


def _reasons(choice: Choice, trial: int) -> Iterator[str]:
    value, highest = choice.values[trial], choice.values[choice.highest]
    best = _name(None, choice.highest)
    error = points(choice.standard_error, 2)
    yield f"Over its tuning and confirmation seeds together it is worth {points(value, 2)}."
    if highest - value > choice.standard_error:
        yield (
            f"The highest value, of {best}, is {points(highest, 2)} with a standard error of "
            f"{error}: this one lies {points(highest - value, 2)} behind, which is more."
        )
    elif trial == choice.winner:
        equals = sum(highest - other <= choice.standard_error for other in choice.values.values())
        yield f"The highest value, of {best}, is {points(highest, 2)}, its standard error {error}."
        if equals == 1:
            yield "No other configuration comes within it."
        else:
            yield f"Of the {equals} configurations within it this one varies least over seeds."
    else:
        winner = _name(None, choice.winner)
        yield (
            f"That is within a standard error ({error}) of the highest value, "
            f"{points(highest, 2)}, but {winner} varies less over seeds or is cheaper."
        )
