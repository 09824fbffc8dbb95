"""Hyperparameters are checked once, at the door, with every problem named."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from agents.deep_q_hparams import DeepQHparams, filled_up
from agents.errors import AgentError, HparamsError
from agents.kinds import KINDS, make_hparams

FIELDS = DeepQHparams.model_fields
LANEWISE = {
    "learning_rate",
    "learning_rate_decay",
    "gamma",
    "n_steps",
    "priority_alpha",
    "priority_beta",
    "buffer_size",
    "learning_starts",
    "target_update_interval",
    "tau",
    "epsilon_start",
    "epsilon_end",
    "epsilon_decay_steps",
    "epsilon_decay",
    "epsilon_clock",
    "max_grad_norm",
}


def problems(params: dict[str, Any], kind: str = "deep_q") -> tuple[str, ...]:
    with pytest.raises(HparamsError) as refused:
        make_hparams(kind, params)
    return refused.value.problems


def bounds() -> list[tuple[str, str, float]]:
    """Every limit of every number."""
    found = []
    for name, declared in FIELDS.items():
        for limit in declared.metadata:
            for side in ("ge", "le"):
                if (value := getattr(limit, side, None)) is not None:
                    found.append((name, side, value))
    return found


def test_what_is_left_out_keeps_its_default() -> None:
    hparams = make_hparams("deep_q", {"gamma": 0.9})

    assert hparams == DeepQHparams(gamma=0.9)
    assert hparams.learning_rate == FIELDS["learning_rate"].default


def test_every_hyperparameter_says_what_it_is_and_how_it_varies() -> None:
    for name, declared in FIELDS.items():
        assert declared.description
        assert DeepQHparams.role(name) == ("lanewise" if name in LANEWISE else "shaping")


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    assert problems({}, kind="deep_w") == (
        f"agent: 'deep_w' is unknown; one of {', '.join(KINDS)}",
    )


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert problems({"learning_rat": 1e-3}) == (
        "learning_rat: unknown key; did you mean 'learning_rate'?",
    )
    assert problems({"zzz": 1}) == ("zzz: unknown key",)


def test_all_problems_are_told_at_once() -> None:
    found = problems({"gamma": 2.0, "batch_size": "many", "activation": "gelu", "lr": 1})

    assert sorted(line.split(":")[0] for line in found) == [
        "activation",
        "batch_size",
        "gamma",
        "lr",
    ]
    assert "gamma: must be at most 1.0 (got 2.0)" in found
    assert "batch_size: needs a whole number (got 'many')" in found
    assert "activation: must be one of 'relu' or 'tanh' (got 'gelu')" in found


def test_the_error_is_one_of_ours_and_reads_line_by_line() -> None:
    with pytest.raises(AgentError, match="gamma: must be at most") as refused:
        make_hparams("deep_q", {"gamma": 2.0, "tau": -1.0})

    assert str(refused.value) == "\n".join(refused.value.problems)


@pytest.mark.parametrize(("name", "side", "limit"), bounds())
def test_a_number_may_reach_its_limit_and_not_pass_it(name: str, side: str, limit: float) -> None:
    enough = {"buffer_size": 1_000_000} if name == "batch_size" else {"batch_size": 1}
    step = 1 if isinstance(limit, int) else 1e-9 * max(1.0, abs(limit))
    beyond = limit - step if side == "ge" else limit + step

    assert getattr(make_hparams("deep_q", enough | {name: limit}), name) == limit
    assert problems(enough | {name: beyond})[0].startswith(f"{name}: must be at ")


def test_every_number_has_both_limits() -> None:
    numbers = {name for name, declared in FIELDS.items() if declared.annotation in (int, float)}

    for side in ("ge", "le"):
        assert {name for name, of, _ in bounds() if of == side} == numbers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 32.0),
        ("batch_size", True),
        ("batch_size", "32"),
        ("learning_rate", "0.001"),
        ("learning_rate", True),
        ("learning_rate", None),
        ("learning_rate", math.nan),
        ("max_grad_norm", math.inf),
        ("double", 1),
        ("double", "true"),
        ("loss", "l2"),
        ("hidden_layers", 64),
        ("hidden_layers", "64-64"),
        ("hidden_layers", [64.0]),
        ("hidden_layers", [0]),
        ("hidden_layers", [16_385]),
        ("hidden_layers", [1] * 17),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(name: str, value: Any) -> None:
    found = problems({name: value})

    assert all(line.startswith(name) for line in found)


def test_a_whole_number_is_a_number() -> None:
    assert make_hparams("deep_q", {"gamma": 1}).gamma == 1.0


def test_hidden_layers_may_come_as_a_list_and_may_be_none() -> None:
    assert make_hparams("deep_q", {"hidden_layers": [33, 7]}).hidden_layers == (33, 7)
    assert make_hparams("deep_q", {"hidden_layers": []}).hidden_layers == ()


def test_a_batch_larger_than_the_replay_is_refused_with_both_numbers() -> None:
    assert problems({"batch_size": 65, "buffer_size": 64}) == (
        "batch_size = 65 is larger than buffer_size = 64; lower the one or raise the other",
    )
    assert make_hparams("deep_q", {"batch_size": 64, "buffer_size": 64}).buffer_size == 64


def test_hparams_are_frozen() -> None:
    hparams = make_hparams("deep_q", {})

    with pytest.raises(ValidationError):
        hparams.gamma = 0.5  # type: ignore[misc]


def test_shaping_values_tell_cohorts_apart_and_lanewise_ones_do_not() -> None:
    usual = make_hparams("deep_q", {})
    lanewise: dict[str, Any] = {"gamma": 0.5, "tau": 0.5, "epsilon_decay": "exponential"}
    shaping: dict[str, Any] = {
        "batch_size": 7,
        "num_envs": 2,
        "train_freq": 9,
        "gradient_steps": 2,
        "hidden_layers": [5],
        "activation": "tanh",
        "loss": "mse",
        "normalize_observations": True,
        "double": True,
        "head": "dueling",
    }

    neighbour = make_hparams("deep_q", lanewise)
    assert neighbour.shape == usual.shape
    for name, value in shaping.items():
        stranger = make_hparams("deep_q", {name: value})
        assert stranger.shape != usual.shape
    assert shaping.keys() | LANEWISE == FIELDS.keys()


def test_the_rules_are_published_as_json_schema() -> None:
    schema = DeepQHparams.model_json_schema()

    assert schema["properties"]["gamma"]["maximum"] == 1.0
    assert schema["properties"]["gamma"]["role"] == "lanewise"


@pytest.mark.parametrize(
    ("size", "filled"),
    [(1, 16), (16, 16), (17, 32), (64, 64), (65, 80), (128, 128), (129, 160), (257, 320)],
)
def test_sizes_are_filled_up_to_few_steps(size: int, filled: int) -> None:
    assert filled_up(size) == filled


def test_filling_up_adds_at_most_a_quarter_beyond_64_and_twice_changes_nothing() -> None:
    for size in range(1, 3_000):
        assert size <= filled_up(size) <= max(size + 15, 1.25 * size)
        assert filled_up(filled_up(size)) == filled_up(size)
    assert len({filled_up(size) for size in range(1, 513)}) == 16
