"""Training a claim's seeds again: does it hold?

On the machine and versions that made it, the scores must be equal bit for bit. Elsewhere rounding
differs, and deep Q-learning amplifies it until a run is as good as one of another seed: there the
claimed mean must lie where means of such scores do.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from agents.environments import describe
from agents.provenance import made_with
from agents.reference_returns import return_bounds
from tuner import retrain
from tuner.claims import contradictions, recomputed
from tuner.errors import UsageError, VerificationError
from tuner.hparams_file import ALSO, HparamsFile, RunsTable
from tuner.intervals import Interval, claim_interval
from tuner.seed_pools import Pool, run_seed
from tuner.wording import equality, sentence

# What bits depend on. Another interpreter or Optuna changes none.
DECISIVE = ("dqn_tuner", "torch", "gymnasium", "numpy", "blas", "processor")


@dataclass(frozen=True)
class Verdict:
    """What came out.

    claimed   seed → score, as the file has it
    scores    seed → score, as trained now; the same seeds, or fresh ones
    purpose   the pool of the claim: test, confirm or tune
    exact     whether every score had to be equal; `why_not` says what spoke against it
    interval  where the claimed mean must lie, if it need not be equal; None: all scores are alike
    failures  seed → why its run broke down now; `failed` is how many the file says did
    words     what the claim's own scores say, in words; `said` is what the file says
    uneven    whether the bits of one run may be equal and of another not: unlike machines made the
              claim, or its lanes or these depend on their neighbours
    picked    whether the seeds do not follow from a master seed that the file names
    """

    purpose: str
    claimed: Mapping[int, float]
    scores: Mapping[int, float]
    exact: bool
    why_not: str
    interval: Interval | None
    failures: Mapping[int, str]
    failed: int
    words: str
    said: str | None
    uneven: bool
    picked: bool

    @property
    def claimed_mean(self) -> float:
        return fmean(self.claimed.values())

    @property
    def mean(self) -> float:
        return fmean(self.scores.values())

    @property
    def unequal(self) -> list[int]:
        """The seeds whose score is another than claimed."""
        return [s for s, score in self.scores.items() if self.claimed.get(s, score) != score]

    @property
    def arithmetic_is_the_same(self) -> bool:
        """Whether two different scores came out equal bit for bit, which they do nowhere else."""
        equal = {s for seed, s in self.scores.items() if self.claimed.get(seed) == s}
        return not self.uneven and len(equal) > 1

    @property
    def holds(self) -> bool:
        return not self.objection

    @property
    def objection(self) -> str:
        """What speaks against the claim; "" if nothing does."""
        n = len(self.scores)
        equal = f"{n - len(self.unequal)} of {n} scores are equal bit for bit"
        if len(self.failures) == n:
            return f"every run broke down: {next(iter(self.failures.values()))}"
        if self.exact and self.unequal:
            return equal
        if self.exact and len(self.failures) != self.failed:
            return f"{len(self.failures)} runs broke down, {self.failed} are claimed"
        if self.unequal and self.arithmetic_is_the_same:
            return f"{equal}, so that the others must be too"
        if not self.exact and self.interval is None and self.claimed_mean > self.mean:
            return "no score differs from the others, and the claim is higher"
        if not self.exact and self.interval and self.claimed_mean not in self.interval:
            return f"the claim does NOT lie in {_range(self.interval)}"
        return ""

    @property
    def reason(self) -> str:
        """The two numbers, and how they relate."""
        means = f"claimed mean {self.claimed_mean:.2f}, trained again {self.mean:.2f}"
        if self.objection:
            return f"{means}; {self.objection}"
        if self.exact:
            return f"{means}; {len(self.scores)} of {len(self.scores)} scores are equal bit for bit"
        lies = "" if self.interval is None else f"; the claim lies in {_range(self.interval)}"
        return f"{means}{lies} (compared by means: bits need not be equal)"

    def text(self) -> str:
        """Every seed, and the verdict."""
        lines = []
        for seed, score in self.scores.items():
            before = self.claimed.get(seed)
            same = "" if before is None else f", claimed {before} ({equality(score, before)})"
            broken = f", broke down ({self.failures[seed]})" if seed in self.failures else ""
            lines.append(f"seed {seed}: score {score}{same}{broken}")
        if self.purpose != Pool.TEST.word:
            lines.append(
                f"the claim is of its {self.purpose} seeds, which chose it: it says little about "
                "others; `tuner confirm` tests it on fresh ones"
            )
        if not self.exact:
            lines.append(f"bits need not be equal: {self.why_not}")
        lines.append(f"the claim, in words: {self.words}")
        if self.said not in (None, self.words):
            shown = str(self.said).encode("unicode_escape").decode()
            lines.append(f"the file words it otherwise: {shown}")
        lines.append(f"(nothing but the {self.purpose} scores was trained again)")
        if self.picked:
            lines.append(
                "the file does not say where its seeds come from, or its author chose them: "
                "`--seeds 10` takes fresh ones"
            )
        lines.append(f"{'verified' if self.holds else 'NOT verified'}: {self.reason}")
        return "\n".join(lines)

    def as_data(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "holds": self.holds,
            "purpose": self.purpose,
            "claimed_mean": self.claimed_mean,
            "mean": self.mean,
            "exact": self.exact,
            "why_not_exact": None if self.exact else self.why_not,
            "unequal_seeds": self.unequal,
            "claim": self.words,
            "objection": self.objection or None,
            "picked_seeds": self.picked,
            "failures": {str(seed): why for seed, why in self.failures.items()},
            "interval99": None
            if self.interval is None
            else [self.interval.low, self.interval.high],
            "scores": [{"seed": seed, "score": score} for seed, score in self.scores.items()],
        }


def verify(
    file: HparamsFile,
    fresh: int | None,
    *,
    device: str = "cpu",
    tell: retrain.Tell = lambda event: None,
) -> Verdict:
    """Train the seeds of the strongest claim in the file again, or so many fresh ones.

    Raises UsageError where the file claims nothing, VerificationError where it contradicts itself.
    """
    purpose, table = _claim(file)
    facts, found = describe(file.env_spec), recomputed(file)
    if problems := contradictions(file, found, facts):
        raise VerificationError(problems)
    claimed = dict(zip(table.seeds, table.scores, strict=True))
    seeds = list(claimed) if fresh is None else _fresh_seeds(fresh, list(file.claimed_scores()))
    runs = retrain.scores(file, seeds, device=device, tell=tell)
    independent = _independent_lanes(file) and all(run.exact for run in runs.values())
    why_not = _why_not_exact(file, device, fresh, independent)
    scores = {seed: runs[seed].score for seed in seeds}
    evidence = file.evidence
    assert evidence is not None  # there is a claim
    bounds = return_bounds(file.env_spec, facts)
    return Verdict(
        purpose=purpose,
        claimed=claimed,
        scores=scores,
        exact=not why_not,
        why_not=why_not,
        interval=claim_interval(list(scores.values()), list(claimed.values()), bounds),
        failures={seed: run.failure for seed, run in runs.items() if run.failure is not None},
        failed=table.failed,
        words=sentence(found),
        said=evidence.sentence,
        uneven=_of_several_machines(file) or not independent,
        picked=evidence.master_seed is None or purpose in (evidence.own_seeds or ()),
    )


def _claim(file: HparamsFile) -> tuple[str, RunsTable]:
    evidence = file.evidence
    for pool in (Pool.TEST, Pool.CONFIRM, Pool.TUNE):
        table = None if evidence is None else getattr(evidence, pool.word)
        if table is not None and table.seeds:
            return pool.word, table
    raise UsageError("the file claims nothing: it has no evidence; `tuner export` writes it")


def _fresh_seeds(count: int, used: Sequence[int]) -> list[int]:
    """Seeds that nobody can have chosen by."""
    seeds: list[int] = []
    master = secrets.randbits(32)
    for index in range(count + len(used)):
        seed = run_seed(master, Pool.FRESH, index)
        if seed not in used and len(seeds) < count:
            seeds.append(seed)
    return seeds


def _independent_lanes(file: HparamsFile) -> bool:
    return "approximate" not in (file.made_with or {}).get("lane_selftest", "")


def _of_several_machines(file: HparamsFile) -> bool:
    return any(ALSO in (file.made_with or {}).get(name, "") for name in DECISIVE)


def _why_not_exact(file: HparamsFile, device: str, fresh: int | None, independent: bool) -> str:
    """Why bits may differ; "" if they must not. independent: whether all lanes are and were."""
    before, now = file.made_with or {}, made_with()
    differing = [name for name in DECISIVE if before.get(name) != now[name]]
    if fresh is not None:
        return "other seeds were trained"
    if device != "cpu":
        return f"trained on {device}"
    if not independent:
        return "lanes are not independent bit for bit where they were trained"
    return "; ".join(
        f"{name} was {before.get(name, 'not recorded')}, here {now[name]}" for name in differing
    )


def _range(interval: Interval) -> str:
    return f"{interval.low:.2f} to {interval.high:.2f} (99 %, {interval.method})"
