"""Everything a report says of a study, as plain data: what its page shows and its JSON holds."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.checklist import Item, checklist
from tuner.evidence import Difference, Evidence, Sample
from tuner.export import made_with
from tuner.gallery import GALLERY, Exhibit, Finding
from tuner.phases import DEFAULT_CONFIG
from tuner.plain_data import as_plain
from tuner.seed_pools import Pool
from tuner.spending import Failure, Spent, failures, spent
from tuner.storage import DEFAULT_URL
from tuner.study import USED_POOLS
from tuner.study_text import study_text
from tuner.summary import StudySummary
from tuner.wording import configuration_text, sentence

SCHEMA = 1


@dataclass(frozen=True)
class Configuration:
    """A finalist, or the agent's default. params: what was searched; samples: by kind of seeds."""

    name: str
    chosen: bool
    params: Mapping[str, Any]
    samples: Mapping[str, Sample | None]


@dataclass(frozen=True)
class Step:
    """A command to type, and what for."""

    command: str
    what: str


@dataclass(frozen=True)
class Report:
    """One study.

    missing         what it has not come to yet, line by line
    exhibits        every figure with what was found for it, None where nothing is to be shown
    hyperparameters the whole configuration that is chosen
    storage_option  that names its database in a command, with a space before it, or ""
    """

    summary: StudySummary
    sentence: str | None
    missing: Sequence[str]
    configurations: Sequence[Configuration]
    hyperparameters: Mapping[str, Any]
    over_default: Difference | None
    exhibits: Sequence[tuple[Exhibit, Finding | None]]
    spent: Spent
    failures: Sequence[Failure]
    checklist: Sequence[Item]
    study_text: str
    reproduce: Sequence[Step]
    storage_option: str

    def as_data(self) -> dict[str, Any]:
        """For scripts; docs/looking.md describes the keys."""
        return {
            "schema": SCHEMA,
            "study": self.summary.study.name,
            "sentence": self.sentence,
            "missing": list(self.missing),
            "configurations": [_configuration_data(found) for found in self.configurations],
            "hyperparameters": as_plain(self.hyperparameters),
            "over_default": None if self.over_default is None else self.over_default.as_data(),
            "figures": {exhibit.name: as_plain(finding) for exhibit, finding in self.exhibits},
            "spent": as_plain(self.spent) | {"all": as_plain(self.spent.whole)},
            "failures": as_plain(self.failures),
            "checklist": as_plain(self.checklist),
            "spec": self.summary.study.spec(),
            "study_file": self.study_text,
            "reproduce": as_plain(self.reproduce),
        }


def report(summary: StudySummary, storage: str, exhibits: Sequence[Exhibit] = GALLERY) -> Report:
    """Of a study in any state; storage: the URL of its database, for commands."""
    best, option = summary.best, _storage_option(storage)
    evidence = None if best is None else summary.evidence(best)
    cost = spent(summary)
    versions = {} if best is None else made_with(summary, best)
    return Report(
        summary=summary,
        sentence=None if evidence is None else sentence(evidence),
        missing=_missing(summary, evidence),
        configurations=_configurations(summary) if best is not None else [],
        hyperparameters={} if best is None else summary.finals.hparams(best).model_dump(),
        over_default=None if evidence is None else evidence.over_default,
        exhibits=[(exhibit, exhibit.find(summary)) for exhibit in exhibits],
        spent=cost,
        failures=failures(summary),
        checklist=checklist(summary, cost, evidence, versions),
        study_text=study_text(summary.study),
        reproduce=_steps(summary, option),
        storage_option=option,
    )


def _missing(summary: StudySummary, evidence: Evidence | None) -> list[str]:
    study, over = summary.study.study, len(summary.trials) - summary.counts.get("RUNNING", 0)
    lines = []
    if evidence is None:
        lines.append("No trial is complete: there is nothing to choose from yet.")
    if over < study.trials:
        lines.append(f"The search is not over: {over} of {study.trials} trials are.")
    if evidence is not None and evidence.confirm is None:
        lines.append("The finalists are not confirmed on fresh seeds.")
    if evidence is not None and evidence.test is None:
        lines.append("The winner is not tested: its scores took part in choosing it.")
    return lines


def _configurations(summary: StudySummary) -> list[Configuration]:
    """The chosen one, then the other finalists as they are, or as they would be now."""
    best = summary.best
    assert best is not None
    numbers = [best, *(number for number in summary.finals.finalists if number != best)]
    return [_configuration(summary, number, number == best) for number in numbers]


def _configuration(summary: StudySummary, number: int, chosen: bool) -> Configuration:
    is_default = number == DEFAULT_CONFIG
    evidence = summary.evidence(number)
    samples = {
        Pool.TUNE.word: evidence.tune,
        Pool.CONFIRM.word: evidence.confirm,
        Pool.TEST.word: evidence.test,
    }
    params = {} if is_default else dict(summary.finals.params[number])
    return Configuration(configuration_text(number), chosen, params, samples)


def _configuration_data(found: Configuration) -> dict[str, Any]:
    samples = {
        pool.word: sample.as_data()
        for pool in USED_POOLS
        if (sample := found.samples[pool.word]) is not None
    }
    return {
        "configuration": found.name,
        "chosen": found.chosen,
        "params": as_plain(found.params),
        **samples,
    }


def _storage_option(storage: str) -> str:
    return "" if storage == DEFAULT_URL else f" --storage {shlex.quote(storage)}"


def _steps(summary: StudySummary, option: str) -> list[Step]:
    name = summary.study.name
    steps = [
        Step(
            f"tuner launch {name}.toml --storage sqlite:///again.db",
            f"searches again, from the study file below saved as {name}.toml",
        )
    ]
    if summary.complete:
        steps += [
            Step(
                f"tuner export {name}{option} -o hparams.json",
                "writes the configuration with its evidence",
            ),
            Step("tuner verify hparams.json", "trains the seeds of its claim again and compares"),
        ]
    return steps
