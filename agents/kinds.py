"""Which kinds of agents there are, by the settings they take."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from agents.deep_q_hparams import DeepQHparams
from agents.environments import EnvFacts, EnvSpec, describe
from agents.errors import EnvError, HparamsError
from agents.hparams import Hparams
from agents.problems import problem_lines
from agents.tabular_hparams import ProjectiveHparams, RandomHparams, TabularQHparams

Kind = Literal["deep_q", "tabular_q", "projective", "random"]
KINDS: dict[str, type[Hparams]] = {
    "deep_q": DeepQHparams,
    "tabular_q": TabularQHparams,
    "projective": ProjectiveHparams,
    "random": RandomHparams,
}
TABLES = ("tabular_q", "projective")  # kinds with a row for every state


def make_hparams(kind: str, params: Mapping[str, Any]) -> Hparams:
    """Check `params` once; names left out keep the kind's default.

    Raises HparamsError with every problem found.
    """
    if kind not in KINDS:
        raise HparamsError(f"agent: '{kind}' is unknown; one of {', '.join(KINDS)}")
    try:
        return KINDS[kind].model_validate(dict(params))
    except ValidationError as error:
        raise HparamsError(problem_lines(error, known=lambda _: KINDS[kind].model_fields)) from None


def describe_for(kind: str, env: EnvSpec) -> EnvFacts:
    """The facts of an environment. Raises EnvError where no agent of this kind fits it."""
    facts = describe(env)
    if kind in TABLES and not facts.discrete:
        raise EnvError(
            f"agent '{kind}' needs an environment with Discrete observations, as FrozenLake-v1 has "
            f"them; those of {env.id} are {facts.features} numbers: take agent 'deep_q'"
        )
    return facts
