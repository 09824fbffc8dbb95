"""What the evidence says, in words."""

from collections.abc import Iterator

from tuner.evidence import UNRELIABLE, Difference, Evidence, Sample
from tuner.intervals import SEEDS_TO_SHOW, Interval, rate_interval
from tuner.phases import DEFAULT_CONFIG


def sentence(evidence: Evidence) -> str:
    """The whole claim, as one paragraph: the end of `launch`, `status` and hparams.json have it."""
    return " ".join(_sentences(evidence))


def _sentences(evidence: Evidence) -> Iterator[str]:
    tune, confirm, test = evidence.tune, evidence.confirm, evidence.test
    if tune is not None:
        rank = _rank(evidence, tune.mean)
        yield f"Tuning reported {points(tune.mean)} ({rank}, {seeds_text(tune.n)})."
    elif evidence.trial is None:
        yield "No trial was clearly better than the default configuration, which is chosen."
    if test is None and confirm is None:
        yield "Not confirmed on fresh seeds: expect less."
    elif test is None:
        assert confirm is not None
        yield f"On {len(confirm.scores)} fresh seeds: {mean_text(confirm)}."
        yield "These seeds took part in the choice and no others tested it: expect less."
    else:
        yield f"On {len(test.scores)} fresh seeds that chose nothing: {mean_text(test)};"
        yield f"{solved_text(test)}{failures_text(test)}{_gap_text(evidence)}."
    if evidence.over_default is not None:
        yield default_text(evidence.over_default)
    if test is not None and evidence.tested_before:
        earlier = ", ".join(map(str, evidence.tested_before))
        yield (
            f"Earlier winners (trials {earlier}) were tested on these seeds before this one: "
            "whoever went on because of their scores has used the test seeds to choose."
        )
    if warning := reliability_warning(evidence.reliability):
        yield warning


def mean_text(sample: Sample) -> str:
    """The mean with what its number of seeds allows to say of its uncertainty."""
    n, spread, interval = sample.n, sample.spread, sample.shown_interval
    text = points(spread.mean)
    if n == 1:
        return text
    if spread.minimum == spread.maximum:
        return f"{text} (each of the {n} seeds alike)"
    if interval is None:
        return f"{text} (lowest {points(spread.minimum)}, highest {points(spread.maximum)})"
    text = f"{text}, 95 % {interval.method} interval {ends(interval)}"
    if (median := sample.median_interval) is not None:
        text += f" (the median lies in {ends(median)}, {median.method})"
    return text


def solved_text(sample: Sample) -> str:
    """How many runs reached the threshold; "" if there is none."""
    solved, n = sample.solved, len(sample.scores)
    if solved is None:
        return ""
    interval = rate_interval(solved, n)
    return (
        f"{solved} of {n} seeds solved, {sample.env.threshold:g} or more "
        f"(95 %: {interval.low:.0%} to {interval.high:.0%}); "
    )


def failures_text(sample: Sample) -> str:
    """How many runs broke down, and how often they still may."""
    noun = "failure" if sample.failed == 1 else "failures"
    return (
        f"{sample.failed} {noun} in {len(sample.scores)}: the failure rate may still be "
        f"{sample.highest_failure_rate:.0%}"
    )


def default_text(difference: Difference) -> str:
    """What was gained over the default configuration."""
    interval = difference.interval
    range_ = "" if interval is None else f" ({ends(interval)}, {interval.method})"
    return (
        f"Default configuration (the agent's, with what the study fixes): "
        f"{points(difference.theirs.mean)}; difference "
        f"{points(difference.mean)}{range_}{_better_text(difference)}."
    )


def _better_text(difference: Difference) -> str:
    """Of two or three seeds on a side nothing worth saying."""
    if min(difference.ours.n, difference.theirs.n) < SEEDS_TO_SHOW:
        return ""
    return f"; P(better) {difference.probability_better:.2f}"


def reliability_warning(reliability: float | None) -> str:
    """ "" where trials differ by more than their seeds do."""
    if reliability is None or reliability >= UNRELIABLE:
        return ""
    return (
        f"Warning: only {reliability:.0%} of the differences between trials are real, the rest is "
        "seed noise; more seeds per trial, or more finalists, would tell them apart."
    )


def equality(one: float, other: float) -> str:
    """Of two scores, bit for bit."""
    return "equal" if one == other else "NOT equal"


def points(value: float, decimals: int = 1) -> str:
    """A score, as "441.0"; below one with a decimal more, as "0.83"."""
    return f"{value:.{decimals + (0 < abs(value) < 1)}f}"


def ends(interval: Interval) -> str:
    """As "441.0 to 485.2"."""
    return f"{points(interval.low)} to {points(interval.high)}"


def _gap_text(evidence: Evidence) -> str:
    gap, to_confirm = evidence.gap, evidence.confirm_gap
    if gap is None:
        return ""
    means = [gap.ours.mean, gap.theirs.mean]
    if to_confirm is not None:
        means.insert(1, to_confirm.theirs.mean)
    way = f"tuning{', confirmation' * (len(means) > 2)}, test: {', '.join(map(points, means))}"
    if gap.mean <= 0:
        return f"; no optimism gap ({way})"
    return f"; optimism gap {points(gap.mean)} ({way})"


def _rank(evidence: Evidence, mean: float) -> str:
    of = f"of {evidence.trials} trial{'s' * (evidence.trials != 1)}"
    if evidence.best_tune is None or mean >= evidence.best_tune:
        return f"best {of}"
    return f"trial {evidence.trial} {of}, the best had {points(evidence.best_tune)}"


def configuration_text(configuration: int) -> str:
    """A trial, or the agent's default configuration, by name."""
    return "default" if configuration == DEFAULT_CONFIG else f"trial {configuration}"


def seeds_text(count: int) -> str:
    """As "1 seed" or "5 seeds"."""
    return f"{count} seed{'s' * (count != 1)}"
