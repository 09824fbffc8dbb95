"""The tables of a study: the best trials with every seed's score, the finals, what to type next."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tuner.evidence import Sample
from tuner.summary import StudySummary, TrialSummary
from tuner.wording import configuration_text, points, sentence

SHOWN_TRIALS = 10


def print_results(console: Console, summary: StudySummary) -> None:
    """The best trials with every seed's score, the finals, and the configuration they lead to."""
    complete = summary.complete
    if not complete:
        console.print("no complete trial yet")
        return
    shown = complete[:SHOWN_TRIALS]
    title = f"{escape(summary.study.name)}: best {len(shown)} of {len(complete)} trials"
    table = Table(title=title)
    for name in ("trial", summary.study.objective.across_seeds, "std", "min"):
        table.add_column(name, justify="right")
    table.add_column("every seed's score; hyperparameters")
    for trial in shown:
        assert trial.sample is not None and trial.value is not None
        table.add_row(
            str(trial.number),
            points(trial.value),
            *_spread_cells(trial.sample),
            f"{scores_text(trial.sample)}\n[dim]{_params_text(trial)}[/dim]",
        )
    console.print(table)
    print_finals(console, summary)
    best = summary.chosen()
    console.print(f"\nchosen: {configuration_text(best)}", highlight=False)
    hparams = summary.finals.hparams(best)
    settings = ", ".join(f"{name}={_short(value)}" for name, value in hparams.model_dump().items())
    console.print(Text(f"  {settings}"))
    console.print(Text(f"\n{sentence(summary.evidence(best))}"))


def print_finals(console: Console, summary: StudySummary) -> None:
    """The finalists as far as they are confirmed, and the tests."""
    evidences = {trial: summary.evidence(trial) for trial in summary.finals.finalists}
    if all(found.confirm is None for found in evidences.values()):
        return
    table = Table(title="on fresh seeds")
    table.add_column("configuration")
    for name in ("tune", "confirm", "std", "test"):
        table.add_column(name, justify="right")
    table.add_column("every confirmation seed's score")
    for trial, found in evidences.items():
        confirm = found.confirm
        table.add_row(
            configuration_text(trial),
            *(points(s.mean) if s else "" for s in (found.tune, confirm)),
            points(confirm.spread.std) if confirm and confirm.spread.std is not None else "",
            points(found.test.mean) if found.test else "",
            scores_text(confirm) if confirm else "to be trained",
        )
    console.print(table)


def print_next_steps(
    console: Console, tuner: str, summary: StudySummary, storage_option: str
) -> None:
    """What to type after a launch. tuner: what this program is called by."""
    name = summary.study.name
    steps = [
        (f"dashboard{storage_option}", "look at the trials in a browser"),
        (f"report {name}{storage_option} -o report.html", "everything about it on one page"),
        (f"export {name}{storage_option} -o hparams.json", "write the configuration"),
        ("verify hparams.json", "train the seeds of its claim again"),
        ("train hparams.json --seeds 0:10 --out trained", "train it for yourself"),
    ]
    if summary.finals.is_tested:
        steps.insert(1, (f"film {name}{storage_option}", "films of the winner, for the dashboard"))
    else:
        steps.insert(0, (f"confirm {name}{storage_option}", "confirm and test on fresh seeds"))
    console.print("\nnext:", highlight=False)
    for command, what in steps:
        console.print(Text(f"  {tuner} {command:<52} # {what}"), soft_wrap=True)


def scores_text(sample: Sample) -> str:
    """Every seed's score, side by side, and how many of the runs failed."""
    failed = f" ({sample.failed} failed)" if sample.failed else ""
    return " ".join(points(score) for score in sample.scores) + failed


def _spread_cells(sample: Sample) -> tuple[str, str]:
    std = "" if sample.spread.std is None else points(sample.spread.std)
    return std, points(sample.spread.minimum)


def _params_text(trial: TrialSummary) -> str:
    return escape(" ".join(f"{name}={_short(value)}" for name, value in trial.params.items()))


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value)
