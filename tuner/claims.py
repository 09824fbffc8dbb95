"""Does a claim agree with its own seeds and scores? Nothing is trained here."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from math import isclose
from typing import Any

from agents.environments import EnvFacts
from agents.reference_returns import return_bounds
from tuner.evidence import EnvFigures, Evidence, Sample
from tuner.hparams_file import HparamsFile
from tuner.seed_pools import Pool, run_seed

# Of a table of runs, and of the evidence: what any version computes alike from the scores.
OF_RUNS = ("mean", "std", "min", "max", "solved")
OF_EVIDENCE = ("optimism_gap", "optimism_gap_to_confirm")
OF_DIFFERENCE = ("mean", "probability_better")
TABLES = {
    "tune": Pool.TUNE,
    "confirm": Pool.CONFIRM,
    "test": Pool.TEST,
    "default_config_confirm": Pool.CONFIRM,
    "default_config_test": Pool.TEST,
}


def contradictions(file: HparamsFile, found: Evidence, facts: EnvFacts) -> list[str]:
    """Every line names a place in the file whose content its seeds and scores do not bear out.

    found  what these say: `recomputed`
    facts  of the file's environment
    """
    if file.evidence is None:
        return []
    said, expected = file.evidence.model_dump(), found.as_data()
    tables = {name: said[name] for name in TABLES if said.get(name)}
    problems = [*_seed_problems(said, tables), *_env_problems(file, tables, facts)]
    for name, table in tables.items():
        problems += _differing(f"evidence.{name}", OF_RUNS, table, expected[name])
    problems += _differing("evidence", OF_EVIDENCE, said, expected)
    difference = expected.get("difference_to_default", {})
    said_difference = said.get("difference_to_default") or {}
    return [
        *problems,
        *_differing("evidence.difference_to_default", OF_DIFFERENCE, said_difference, difference),
    ]


def recomputed(file: HparamsFile) -> Evidence:
    """What the seeds and scores of a file say, whatever it says of them."""
    said = {} if file.evidence is None else file.evidence.model_dump()
    bounds = said.get("return_bounds")
    samples = {name: _sample(said.get(name), bounds) for name in TABLES}
    return Evidence(
        trial=said.get("trial"),
        trials=said.get("trials") or 0,
        best_tune=said.get("best_tune_mean"),
        tune=samples["tune"],
        confirm=samples["confirm"],
        test=samples["test"],
        default_confirm=samples["default_config_confirm"],
        default_test=samples["default_config_test"],
        reliability=said.get("reliability"),
        tested_before=said.get("tested_before") or (),
    )


def _sample(table: Mapping[str, Any] | None, bounds: Any) -> Sample | None:
    if not table:
        return None
    ends = (bounds[0], bounds[1]) if bounds else None
    env = EnvFigures(threshold=table.get("threshold"), bounds=ends)
    return Sample(tuple(table["seeds"]), tuple(table["scores"]), table["failed"], env)


def _differing(
    where: str, names: tuple[str, ...], said: Mapping[str, Any], expected: Mapping[str, Any]
) -> Iterator[str]:
    for name in names:
        claim, truth = said.get(name), expected.get(name)
        if claim is not None and (truth is None or not isclose(claim, truth, rel_tol=1e-9)):
            yield f"{where}.{name}: {claim}, but its scores say {truth}"


def _seed_problems(said: Mapping[str, Any], tables: Mapping[str, Any]) -> Iterator[str]:
    """Seeds that were picked, instead of taken in the order in which they follow, or used twice."""
    master, own = said.get("master_seed"), said.get("own_seeds") or ()
    for one, other in combinations(tables, 2):
        both = set(tables[one]["seeds"]) & set(tables[other]["seeds"])
        if both and TABLES[one] != TABLES[other]:
            yield f"evidence.{other}.seeds: {min(both)} is also a seed of evidence.{one}"
    for name, table in tables.items():
        pool, seeds = TABLES[name], table["seeds"]
        if master is None or pool.word in own:
            continue
        if seeds != [run_seed(master, pool, index) for index in range(len(seeds))]:
            yield (
                f"evidence.{name}.seeds: not the first {len(seeds)} {pool.word} seeds that follow "
                f"from master seed {master}"
            )


def _env_problems(file: HparamsFile, tables: Mapping[str, Any], facts: EnvFacts) -> Iterator[str]:
    bounds = return_bounds(file.env_spec, facts)
    for name, table in tables.items():
        if table["threshold"] not in (None, facts.reward_threshold):
            yield (
                f"evidence.{name}.threshold: {table['threshold']:g}, but {file.env.id} counts as "
                f"solved from {facts.reward_threshold} on"
            )
        wrong = [score for score in table["scores"] if bounds and not _within(score, bounds)]
        if bounds and wrong:
            yield (
                f"evidence.{name}.scores: {wrong[0]} is no return of {file.env.id}, which lie in "
                f"{bounds[0]:g} to {bounds[1]:g}"
            )


def _within(score: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= score <= bounds[1]
