"""The same configuration for other libraries, with what each of them cannot take over.

Names of options are those of Stable-Baselines3 2 (DQN), RL Baselines3 Zoo 2 and CleanRL's dqn.py.
"""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium

from agents.deep_q_hparams import DeepQHparams
from tuner import hparams_file
from tuner.errors import UsageError
from tuner.hparams_file import HparamsFile

CLEANRL_LAYERS = (120, 84)
SB3_SCRIPT = '''\
"""Trains {json} with Stable-Baselines3: python {script} [seed]"""

import json, sys
from pathlib import Path
import gymnasium, torch
from stable_baselines3 import DQN
from stable_baselines3.common.evaluation import evaluate_policy

file = json.loads(Path(__file__).with_name("{json}").read_text())
dqn = file["dqn"]
policy, rate = dqn["policy_kwargs"], dqn["learning_rate"]
policy["activation_fn"] = getattr(torch.nn, policy["activation_fn"])
if isinstance(rate, str):  # "lin_0.001" falls from 0.001 to zero
    dqn["learning_rate"] = lambda left: left * float(rate.removeprefix("lin_"))
env = gymnasium.make(file["env"]["id"], **file["env"]["kwargs"])
model = DQN(env=env, seed=int(sys.argv[1]) if sys.argv[1:] else 0, **dqn)
model.learn(file["total_timesteps"])
print("mean return of 10 greedy episodes:", evaluate_policy(model, model.get_env(), 10)[0])
'''


def write(path: Path, file: HparamsFile, name: str, *, force: bool) -> Iterator[str]:
    """Write it in the format of that name; yields what could not be carried over, line by line.

    sb3      keyword arguments of DQN as JSON, and beside it a script that trains with them
    zoo      an entry of rl-zoo3's hyperparams/dqn.yml
    cleanrl  the command line of CleanRL's dqn.py
    """
    if name not in FORMATS:
        raise UsageError(f"--format: '{name}' is unknown; native, {', '.join(NAMES)}")
    contents, lost = FORMATS[name](path, file)
    if file.env.id not in gymnasium.registry:
        lost.append(f"env {file.env.id}: import the module that registers it first")
    for target in contents:
        hparams_file.check_target(target, force=force)
    for target, text in contents.items():
        hparams_file.write_text(target, text)
        if target != path:
            yield f"wrote {target}: python {target} trains it"
    yield from (f"not carried over: {line}" for line in lost)


def sb3_arguments(hparams: DeepQHparams, budget_steps: int) -> dict[str, Any]:
    """Keyword arguments of Stable-Baselines3's DQN as JSON can hold them.

    The activation is a name in torch.nn; a learning rate that falls to zero is "lin_0.001", as RL
    Zoo writes it.
    """
    rate = hparams.learning_rate
    return {
        "policy": "MlpPolicy",
        "learning_rate": f"lin_{rate}" if hparams.learning_rate_decay == "linear" else rate,
        "buffer_size": hparams.buffer_size,
        "learning_starts": hparams.learning_starts,
        "batch_size": hparams.batch_size,
        "tau": hparams.tau,
        "gamma": hparams.gamma,
        "train_freq": hparams.train_freq,
        "gradient_steps": hparams.gradient_steps,
        "target_update_interval": hparams.target_update_interval,
        "exploration_fraction": hparams.epsilon_decay_steps / budget_steps,
        "exploration_initial_eps": hparams.epsilon_start,
        "exploration_final_eps": hparams.epsilon_end,
        "max_grad_norm": hparams.max_grad_norm,
        **({"n_steps": hparams.n_steps} if hparams.n_steps > 1 else {}),  # since version 2.7
        "policy_kwargs": {
            "net_arch": list(hparams.hidden_layers),
            "activation_fn": {"relu": "ReLU", "tanh": "Tanh"}[hparams.activation],
        },
    }


Contents = tuple[dict[Path, str], list[str]]


def _sb3(path: Path, file: HparamsFile) -> Contents:
    script = path.with_suffix(".py")
    hparams = _deep_q(file)
    content = {
        "env": file.env.model_dump(),
        "total_timesteps": file.budget_steps,
        "dqn": sb3_arguments(hparams, file.budget_steps),
    }
    contents = {
        path: json.dumps(content, indent=2) + "\n",
        script: SB3_SCRIPT.format(json=path.name, script=script.name),
    }
    if script == path:
        raise UsageError(f"-o: '{path}' is where the script goes; name a .json file")
    lost = _lost(hparams, huber=True)
    if hparams.normalize_observations:
        lost.append("normalize_observations: wrap the environment in VecNormalize")
    return contents, lost


def _zoo(path: Path, file: HparamsFile) -> Contents:
    hparams = _deep_q(file)
    entry = sb3_arguments(hparams, file.budget_steps)
    policy = entry.pop("policy_kwargs")
    lines = [
        f"{file.env.id}:",
        f"  n_timesteps: {file.budget_steps}",
        *(f"  {name}: {_yaml(value)}" for name, value in entry.items()),
        f'  policy_kwargs: "dict(net_arch={policy["net_arch"]}, '
        f'activation_fn=nn.{policy["activation_fn"]})"',
    ]
    if hparams.normalize_observations:
        lines.append("  normalize: \"{'norm_obs': True, 'norm_reward': False}\"")
    lost = _lost(hparams, huber=True)
    if file.env.kwargs:
        shown = shlex.join(f"{name}:{value!r}" for name, value in file.env.kwargs.items())
        lost.append(f"env_kwargs: pass --env-kwargs {shown}")
    return {path: "\n".join(lines) + "\n"}, lost


def _cleanrl(path: Path, file: HparamsFile) -> Contents:
    hparams = _deep_q(file)
    flags = {
        "env-id": file.env.id,
        "total-timesteps": file.budget_steps,
        "learning-rate": hparams.learning_rate,
        "buffer-size": hparams.buffer_size,
        "gamma": hparams.gamma,
        "tau": hparams.tau,
        "target-network-frequency": hparams.target_update_interval,
        "batch-size": hparams.batch_size,
        "start-e": hparams.epsilon_start,
        "end-e": hparams.epsilon_end,
        "exploration-fraction": hparams.epsilon_decay_steps / file.budget_steps,
        "learning-starts": hparams.learning_starts,
        "train-frequency": hparams.train_freq,
    }
    options = " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in flags.items())
    lost = _lost(hparams, huber=False)
    if hparams.hidden_layers != CLEANRL_LAYERS or hparams.activation != "relu":
        lost.append(
            f"hidden_layers {list(hparams.hidden_layers)}, {hparams.activation}: dqn.py has "
            f"{list(CLEANRL_LAYERS)}, relu; edit its QNetwork"
        )
    if hparams.n_steps != 1:
        lost.append(f"n_steps {hparams.n_steps}: dqn.py has targets of one step")
    if hparams.learning_rate_decay != "none":
        lost.append(f"learning_rate_decay {hparams.learning_rate_decay}: dqn.py has none")
    if hparams.gradient_steps != 1:
        lost.append(f"gradient_steps {hparams.gradient_steps}: dqn.py makes 1 update at a time")
    lost.append(f"max_grad_norm {hparams.max_grad_norm:g}: dqn.py does not clip gradients")
    lost.append(
        "learning_starts: dqn.py acts by epsilon from the first step on, not at random until then"
    )
    if hparams.normalize_observations:
        lost.append("normalize_observations: wrap the environment in NormalizeObservation")
    if file.env.kwargs:
        lost.append(f"env_kwargs {file.env.kwargs}: edit make_env")
    return {path: f"python cleanrl/dqn.py {options}\n"}, lost


def _deep_q(file: HparamsFile) -> DeepQHparams:
    """What there is to carry over; libraries know deep Q-learning only."""
    hparams = file.checked_hparams()
    if not isinstance(hparams, DeepQHparams):
        raise UsageError(
            f"--format: only deep_q can be written for other libraries, this is {file.agent}; "
            "leave --format out"
        )
    return hparams


def _lost(hparams: DeepQHparams, *, huber: bool) -> list[str]:
    """What neither of them has. huber: the only loss the library has is Huber's, else squared."""
    default = DeepQHparams()
    lost = []
    if hparams.double:
        lost.append("double: the library has no Double DQN")
    if hparams.epsilon_decay != default.epsilon_decay:
        lost.append(
            f"epsilon_decay {hparams.epsilon_decay}: it decays linearly there, over the same steps"
        )
    if hparams.epsilon_clock != default.epsilon_clock:
        lost.append(f"epsilon_clock {hparams.epsilon_clock}: it decays by steps there")
    if hparams.num_envs != default.num_envs:
        lost.append(f"num_envs {hparams.num_envs}: for one environment, as many updates per step")
    if hparams.head != default.head:
        lost.append(f"head {hparams.head}: the library has plain values only")
    if hparams.priority_alpha != default.priority_alpha:
        lost.append(f"priority_alpha {hparams.priority_alpha:g}: the library samples uniformly")
    if (hparams.loss == "huber") != huber:
        lost.append(f"loss {hparams.loss}: the library has {'huber' if huber else 'mse'} only")
    return lost


def _yaml(value: Any) -> str:
    """A scalar; floats marked as such, because YAML 1.1 reads 1e-05 as text."""
    if isinstance(value, float):
        return f"!!float {value!r}"
    return f"'{value}'" if isinstance(value, str) else str(value)


FORMATS: dict[str, Callable[[Path, HparamsFile], Contents]] = {
    "sb3": _sb3,
    "zoo": _zoo,
    "cleanrl": _cleanrl,
}
NAMES = tuple(FORMATS)
