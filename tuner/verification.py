"""Training a claim's seeds again: does it hold?

On the machine and versions that made it, the scores must be equal bit for bit. Elsewhere rounding
differs, and deep Q-learning amplifies it until a run is as good as one of another seed: there the
claimed mean must lie where, by the new scores alone, means of as many seeds lie.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from agents.cohort import Evaluated
from agents.provenance import made_with
from tuner import retrain
from tuner.claims import contradictions, recomputed
from tuner.errors import UsageError, VerificationError
from tuner.hparams_file import HparamsFile, RunsTable
from tuner.intervals import Interval, mean_prediction
from tuner.seed_pools import Pool, run_seed
from tuner.wording import sentence

# What bits depend on. Another interpreter or Optuna changes none.
DECISIVE = ("dqn_tuner", "torch", "gymnasium", "numpy", "blas", "processor")


@dataclass(frozen=True)
class Verdict:
    """What came out.

    claimed   seed → score, as the file has it
    scores    seed → score, as trained now; the same seeds, or fresh ones
    purpose   the pool of the claim: test, confirm or tune
    exact     whether every score had to be equal; `why_not` says what spoke against it
    interval  where the claimed mean must lie, if it need not be equal; None: the new scores are all
              alike
    words     what the claim's own scores say, in words; `said` is what the file says
    """

    purpose: str
    claimed: Mapping[int, float]
    scores: Mapping[int, float]
    exact: bool
    why_not: str
    interval: Interval | None
    words: str
    said: str | None

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
    def holds(self) -> bool:
        if self.exact:
            return not self.unequal
        if self.interval is None:  # the new scores show no spread to allow for
            return self.claimed_mean <= self.mean
        return self.claimed_mean in self.interval

    @property
    def reason(self) -> str:
        """The two numbers, and how they relate."""
        n = len(self.scores)
        means = f"claimed mean {self.claimed_mean:.2f}, trained again {self.mean:.2f}"
        if self.exact:
            equal = n - len(self.unequal)
            return f"{means}; {equal} of {n} scores are equal bit for bit"
        if self.interval is None:
            return f"{means}; every new score is {self.mean:.2f}, and the claim may not be higher"
        verb = "lies" if self.holds else "does NOT lie"
        return f"{means}; the claim {verb} in {_range(self.interval)}"

    def text(self) -> str:
        """Every seed, and the verdict."""
        lines = []
        for seed, score in self.scores.items():
            before = self.claimed.get(seed)
            same = "" if before is None else f", claimed {before} ({_equality(score, before)})"
            lines.append(f"seed {seed}: score {score}{same}")
        if self.purpose != Pool.TEST.word:
            lines.append(
                f"the claim is of its {self.purpose} seeds, which chose it: it says little about "
                "others; `tuner confirm` tests it on fresh ones"
            )
        if not self.exact:
            lines.append(f"bits need not be equal: {self.why_not}")
        lines.append(f"the claim, in words: {self.words}")
        if self.said not in (None, self.words):
            lines.append(f"the file words it otherwise: {self.said}")
        if "Default configuration" in self.words:
            lines.append("(the default configuration's scores were not trained again)")
        how = "" if self.exact else " by its mean, not bit for bit"
        lines.append(f"{'verified' if self.holds else 'NOT verified'}{how}: {self.reason}")
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
            "interval95": None
            if self.interval is None
            else [self.interval.low, self.interval.high],
            "scores": [{"seed": seed, "score": score} for seed, score in self.scores.items()],
        }


def verify(
    file: HparamsFile,
    fresh: int | None,
    *,
    device: str = "cpu",
    watch: Callable[[Evaluated], None] = lambda event: None,
) -> Verdict:
    """Train the seeds of the strongest claim in the file again, or so many fresh ones.

    Raises UsageError where the file claims nothing, VerificationError where it contradicts itself.
    """
    purpose, table = _claim(file)
    if problems := contradictions(file):
        raise VerificationError(problems)
    claimed = dict(zip(table.seeds, table.scores, strict=True))
    seeds = list(claimed) if fresh is None else _fresh_seeds(fresh, list(file.claimed_scores()))
    runs = retrain.scores(file, seeds, device=device, watch=watch)
    why_not = _why_not_exact(file, device, fresh, all(run.exact for run in runs.values()))
    scores = {seed: runs[seed].score for seed in seeds}
    return Verdict(
        purpose=purpose,
        claimed=claimed,
        scores=scores,
        exact=not why_not,
        why_not=why_not,
        interval=mean_prediction(list(scores.values()), len(claimed)),
        words=sentence(recomputed(file)),
        said=None if file.evidence is None else (file.evidence.model_extra or {}).get("sentence"),
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


def _why_not_exact(file: HparamsFile, device: str, fresh: int | None, exact_here: bool) -> str:
    """Why bits may differ; "" if they must not."""
    before, now = file.made_with or {}, made_with()
    differing = [name for name in DECISIVE if before.get(name) != now[name]]
    if fresh is not None:
        return "other seeds were trained"
    if device != "cpu":
        return f"trained on {device}"
    if "approximate" in before.get("lane_selftest", "") or not exact_here:
        return "lanes are not independent bit for bit where they were trained"
    return "; ".join(
        f"{name} was {before.get(name, 'not recorded')}, here {now[name]}" for name in differing
    )


def _equality(one: float, other: float) -> str:
    return "equal" if one == other else "NOT equal"


def _range(interval: Interval) -> str:
    return f"{interval.low:.2f} to {interval.high:.2f} (95 %, {interval.method})"
