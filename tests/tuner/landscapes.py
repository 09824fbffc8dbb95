"""Studies whose scores follow a known rule: what a finding has to say of them is known too."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tests.tuner.tiny import a_run
from tuner import study as studies
from tuner.evidence import EnvFigures
from tuner.finals import Finals
from tuner.search_space import Choices, is_searched, label
from tuner.seed_pools import Pool
from tuner.storage import Run
from tuner.summary import StudySummary, TrialSummary, sample_of

HEAD = """\
[study]
name = "landscape"
env = "CartPole-v1"
trials = {trials}
[budget]
steps = 6_000
evaluations = 6
[seeds]
start = {seeds}
max = {seeds}
confirm = {fresh}
test = {fresh}
[space]
"""
ENV = EnvFigures(random_score=0.0)


def landscape(
    space: str,
    score: Callable[[Mapping[str, Any], int], float],
    *,
    trials: int,
    seeds: int = 2,
    fixed_params: Sequence[Mapping[str, Any]] = (),
    env: EnvFigures = ENV,
) -> StudySummary:
    """A study without finals whose trials are drawn evenly from the space.

    score: of a trial's params on the seed of that index; fixed_params: of the first trials
    """
    head = HEAD.format(trials=trials, seeds=seeds, fresh=2)
    study = studies.parse(f"{head}{space}".encode(), "landscape.toml")
    random = np.random.default_rng(3)
    found = []
    for number in range(trials):
        params = fixed_params[number] if number < len(fixed_params) else _drawn(study, random)
        runs = [
            a_run(study=study.name, trial=number, seed_index=k, seed=k, score=score(params, k))
            for k in range(seeds)
        ]
        found.append(complete(number, params, runs, env))
    runs = [run for trial in found for run in trial.runs]
    finals = Finals(study, {trial.number: trial.params for trial in found}, runs)
    return StudySummary(study, found, finals, env)


def complete(
    number: int, params: Mapping[str, Any], runs: Sequence[Run], env: EnvFigures = ENV
) -> TrialSummary:
    """A complete trial whose value is the mean of its runs."""
    sample = sample_of(runs, env)
    assert sample is not None
    return TrialSummary(number, "COMPLETE", params, runs, sample.mean, sample, None)


def fresh_runs(trial: int, pool: Pool, scores: Sequence[float]) -> list[Run]:
    """Runs of a configuration on confirmation or test seeds."""
    return [
        a_run(trial=trial, purpose=pool.word, seed_index=k, seed=1_000 + k, score=score)
        for k, score in enumerate(scores)
    ]


def _drawn(study: studies.Study, random: np.random.Generator) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for name in sorted(study.space, key=lambda name: bool(study.space[name].when)):
        searched = study.space[name]
        if not is_searched(study.space, name, params):
            continue
        if isinstance(searched, Choices):
            params[name] = label(searched.choices[random.integers(len(searched.choices))])
        elif searched.log:
            params[name] = float(
                np.exp(random.uniform(np.log(searched.low), np.log(searched.high)))
            )
        else:
            params[name] = float(random.uniform(searched.low, searched.high))
    return params
