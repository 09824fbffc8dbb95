"""The commands about hparams.json: export, verify, train."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.environments import import_environments
from tuner import export as exporting
from tuner import export_formats, hparams_file, options
from tuner.arguments import AsJson, Device, Imports, Storage, StudyName
from tuner.errors import UsageError, VerificationError
from tuner.hparams_file import HparamsFile
from tuner.marks_told import marks_told
from tuner.screen import ProgressConsole
from tuner.storage import DEFAULT_URL, open_for_reading
from tuner.summary import only_study, summarize
from tuner.wording import configuration_text, equality, points, seeds_text, sentence

if TYPE_CHECKING:
    from tuner.retrain import Best, Trained

HparamsPath = Annotated[Path, typer.Argument(help="an hparams.json")]


def export(
    output: Annotated[Path, typer.Option("-o", "--output", help="the file to write")],
    study: StudyName = None,
    storage: Storage = DEFAULT_URL,
    trial: Annotated[int | None, typer.Option(help="its number (default: the winner)")] = None,
    format: Annotated[
        str, typer.Option(help=f"native, or for another library: {', '.join(export_formats.NAMES)}")
    ] = "native",
    force: Annotated[bool, typer.Option(help="replace the file")] = False,
) -> None:
    """Write the best configuration, with its evidence, as hparams.json."""
    with open_for_reading(storage) as store:
        summary = summarize(store, only_study(store, study))
    chosen = summary.chosen(trial)
    file = exporting.to_file(summary, chosen)
    if format == "native":
        hparams_file.write(output, file, force=force)
    else:
        for line in export_formats.write(output, file, format, force=force):
            print(line)
    evidence = summary.evidence(chosen)
    print(
        f"wrote {output}: {configuration_text(chosen)} of {summary.study.name}, {evidence.status}\n"
        f"{sentence(evidence)}"
    )


def verify(
    hparams: HparamsPath,
    seeds: Annotated[
        int | None, typer.Option(help="so many fresh seeds, instead of those of the claim")
    ] = None,
    as_json: AsJson = False,
    device: Device = "cpu",
    allow_import: Imports = None,
) -> None:
    """Train the seeds of a claim again and say whether it holds."""
    from tuner import verification  # here: it loads torch

    import_environments(allow_import or ())
    options.checked_device(device)
    file = hparams_file.read(hparams)
    fresh = None if seeds is None else options.seed_count(seeds)
    verdict = verification.verify(file, fresh, device=device, tell=marks_told())
    print(json.dumps(verdict.as_data(), allow_nan=False) if as_json else verdict.text())
    if not verdict.holds:
        raise VerificationError(f"{hparams}: {verdict.reason}")


def train(
    hparams: HparamsPath,
    out: Annotated[Path, typer.Option(help="directory for seed-<s>/")],
    seeds: Annotated[str, typer.Option(help="0:5, or 1,2,7, or tune, confirm, test")] = "0:1",
    steps: Annotated[
        int | None, typer.Option(help="environment steps, instead of the file's")
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(help="directory for TensorBoard's event files")
    ] = None,
    wandb: Annotated[str | None, typer.Option(help="project of Weights & Biases")] = None,
    device: Device = "cpu",
    force: Annotated[bool, typer.Option(help="replace what is there")] = False,
    allow_import: Imports = None,
) -> None:
    """Train from an hparams.json, all seeds side by side."""
    from tuner import retrain, training_log  # here: they load torch

    import_environments(allow_import or ())
    file = hparams_file.read(hparams)
    chosen = options.seed_list(seeds, file)
    if steps is not None:
        options.at_least_one("--steps", steps)
    options.checked_device(device)
    if wandb == "":
        raise UsageError("--wandb: the name of a project is empty")
    _warn_if_unconfirmed(file)
    file = retrain.with_steps(file, steps)
    log = training_log.opened(file, chosen, tensorboard, wandb, force=force)
    plan = retrain.Plan(file=file, seeds=chosen, out=out, device=device, force=force)
    trained = retrain.train(plan, tell=marks_told(), log=log)
    for run in trained:
        print(f"seed {run.seed}: score {run.score}{_compared(run)}, in {run.directory}")
        print(f"  best at step {run.best.step:,}: {_best(run.best)}, in {run.directory}/best")
    scores = [run.score for run in trained]
    print(
        f"mean {points(sum(scores) / len(scores))}, minimum {points(min(scores))} "
        f"over {seeds_text(len(scores))}"
    )


def _warn_if_unconfirmed(file: HparamsFile) -> None:
    if file.evidence is not None and file.evidence.status == "unconfirmed":
        ProgressConsole().print(
            "this configuration is not confirmed on fresh seeds: expect less than its tuning scores"
        )


def _best(best: "Best") -> str:
    fresh = "the environment failed in" if best.fresh is None else f"{points(best.fresh)} on"
    return f"{points(best.chosen)} on the episodes that chose it, {fresh} fresh ones"


def _compared(run: "Trained") -> str:
    if run.claimed is None:
        return ""
    return f", recorded {run.claimed} ({equality(run.score, run.claimed)})"
