"""Behaviour cloning of a trained agent: its pairs, classifiers of four sizes, and their files."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from agents import checkpoint
from agents.errors import EnvError
from agents.files import write_whole
from agents.imitation import Classifier, Epoch, Fit, Pairs, Part, collect
from tuner import out_directory, trained_agent
from tuner.errors import TooManyFailures, UsageError
from tuner.evaluation import evaluate_policy
from tuner.figures.classifiers import Fits, fit_curves
from tuner.out_directory import remove_empty, write_table, written_to
from tuner.trained_agent import TrainedAgent

HIDDEN_LAYERS = ((), (256,), (256, 256), (256, 256, 256))
EPOCHS_COLUMNS = ("model", "epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
Tell = Callable[[str, Epoch], None]  # a model's name, and what it has reached


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to imitate.

    samples   pairs to learn from, and as many from other episodes to be tested on
    epochs    passes over the pairs
    episodes  greedy ones, of every classifier and of its teacher
    """

    samples: int
    epochs: int
    episodes: int
    seed: int


@dataclass(frozen=True)
class Clone:
    """A trained classifier. mean_return: None where the environment failed in its episodes."""

    model: str
    hidden_layers: tuple[int, ...]
    parameters: int
    train: Fit
    test: Fit
    mean_return: float | None


@dataclass(frozen=True)
class Imitation:
    """Four clones and what they are measured by.

    teacher_return  its mean over the very episodes that the clones played
    majority_share  of the test pairs: their share with the action most frequent in training
    """

    plan: Plan
    teacher_return: float
    majority_share: float
    clones: tuple[Clone, ...]


def imitate(
    directory: Path,
    out: Path,
    plan: Plan,
    *,
    force: bool = False,
    tell: Tell = lambda model, epoch: None,
) -> Imitation:
    """Train classifiers to do what the agent of `directory` does.

    `out` gets train.csv, test.csv and epochs.csv, the curves as imitation.html, what is returned as
    imitation.json, and a folder with model.safetensors for every classifier. There is no
    hparams.json in it, which would say that deep Q-learning trained them.
    """
    teacher = trained_agent.read(directory)
    if teacher.file.agent == "random":
        raise UsageError(f"'{directory}': a random agent does nothing to imitate; name another")
    _claim(out, force)
    try:
        teacher_return = evaluate_policy(teacher.policy(), teacher, plan.episodes, plan.seed).mean
        train, test = _pairs(teacher, plan)
        classifiers = [
            Classifier(hidden_layers, train, teacher.facts, plan.seed)
            for hidden_layers in HIDDEN_LAYERS
        ]
        curves = _trained(classifiers, test, plan.epochs, tell)
        _write_pairs(out, train, test)
        _write_models(out, classifiers)
        _write_curves(out, curves, f"{teacher.file.agent} on {teacher.file.env.id}, imitated")
    finally:
        remove_empty([out])
    clones = (
        _judged(classifier, epochs[-1], teacher, plan)
        for classifier, epochs in zip(classifiers, curves.values(), strict=True)
    )
    found = Imitation(plan, teacher_return, _majority_share(train, test), tuple(clones))
    with written_to(out):
        text = json.dumps(asdict(found), indent=2, allow_nan=False)
        write_whole(out / "imitation.json", text.encode())
    return found


def model_name(hidden_layers: Sequence[int]) -> str:
    """As folders and columns have it, "256-256"."""
    return "-".join(map(str, hidden_layers)) or "linear"


def _claim(out: Path, force: bool) -> None:
    """Have a directory to write to, whose content may be replaced."""
    if out.is_dir() and any(out.iterdir()) and not force:
        raise UsageError(f"--out: {out} exists; add --force to replace it")
    out_directory.make(out)


def _pairs(teacher: TrainedAgent, plan: Plan) -> tuple[Pairs, Pairs]:
    """To learn from and to be tested on."""
    env, facts = teacher.file.env_spec, teacher.facts
    try:
        train, test = (
            collect(teacher.policy(), env, facts, part=part, samples=plan.samples, seed=plan.seed)
            for part in Part
        )
    except EnvError as error:
        raise TooManyFailures(error.problems) from None
    if np.array_equal(train.observations, test.observations):
        raise UsageError(
            f"env '{env.id}' plays the same episodes from every seed, so that a test would ask "
            "what was learned; imitate an agent of an environment with randomness in it"
        )
    return train, test


def _trained(
    classifiers: Sequence[Classifier], test: Pairs, epochs: int, tell: Tell
) -> dict[str, list[Epoch]]:
    """What each of them had reached after every epoch, by the model's name."""
    curves: dict[str, list[Epoch]] = {}
    for classifier in classifiers:
        name = model_name(classifier.hidden_layers)
        curves[name] = []
        for epoch in classifier.train(test, epochs):
            curves[name].append(epoch)
            tell(name, epoch)
    return curves


def _write_pairs(out: Path, train: Pairs, test: Pairs) -> None:
    """Observations in the fewest digits that give back their 32 bits."""
    header = [*(f"obs_{n}" for n in range(train.observations.shape[1])), "action"]
    for name, pairs in (("train.csv", train), ("test.csv", test)):
        both = zip(pairs.observations, pairs.actions, strict=True)
        with written_to(out):
            write_table(out / name, header, ([*seen, action] for seen, action in both))


def _write_models(out: Path, classifiers: Sequence[Classifier]) -> None:
    for classifier in classifiers:
        directory = out / model_name(classifier.hidden_layers)
        with written_to(directory):
            directory.mkdir(exist_ok=True)
            checkpoint.save(directory, classifier.tensors)


def _write_curves(out: Path, curves: Mapping[str, Sequence[Epoch]], title: str) -> None:
    """epochs.csv, and imitation.html with Plotly's script beside it."""
    rows = (
        (model, one.number, one.train.loss, one.train.accuracy, one.test.loss, one.test.accuracy)
        for model, epochs in curves.items()
        for one in epochs
    )
    accuracy, loss = (
        {
            model: Fits(
                train=[getattr(one.train, value) for one in epochs],
                test=[getattr(one.test, value) for one in epochs],
            )
            for model, epochs in curves.items()
        }
        for value in ("accuracy", "loss")
    )
    with written_to(out):
        write_table(out / "epochs.csv", EPOCHS_COLUMNS, rows)
        fit_curves(accuracy, loss, title).write_html(
            out / "imitation.html", include_plotlyjs="directory"
        )


def _judged(classifier: Classifier, last: Epoch, teacher: TrainedAgent, plan: Plan) -> Clone:
    mean_return = None
    with suppress(TooManyFailures):  # the training itself is over, and kept
        played = evaluate_policy(classifier.policy, teacher, plan.episodes, plan.seed)
        mean_return = played.mean
    layers, parameters = classifier.hidden_layers, classifier.parameters
    return Clone(model_name(layers), layers, parameters, last.train, last.test, mean_return)


def _majority_share(train: Pairs, test: Pairs) -> float:
    return float((test.actions == np.bincount(train.actions).argmax()).mean())
