"""What `tuner watch` shows is what `tuner evaluate` plays, and its films are whole."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np
import pytest

from agents import checkpoint
from agents.environments import describe
from agents.evaluation import play
from agents.exactness import exact_arithmetic
from agents.watching import Ended, rendered, step_by_step
from tests.tuner.commands import Quick, assert_refused, started, typed, wait_until
from tuner import display, hparams_file

LIMIT = 60
ENVS: Mapping[str, Mapping[str, Any]] = {
    "CartPole-v1": {"agent": "deep_q", "kwargs": {"max_episode_steps": LIMIT}},
    "FrozenLake-v1": {"agent": "tabular_q", "kwargs": {}},
    "MountainCar-v0": {"agent": "random", "kwargs": {"max_episode_steps": LIMIT}},
}
BLIND = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}


def trained(env: str, folder: Path, quick: Quick) -> Path:
    """The directory of an agent that has learned next to nothing."""
    data = {
        "schema": 1,
        "agent": ENVS[env]["agent"],
        "env": {"id": env, "kwargs": ENVS[env]["kwargs"]},
        "budget_steps": 400,
        "evaluation": {"marks": 2, "episodes": 2, "score": "final"},
        "hparams": {"learning_starts": 100} if ENVS[env]["agent"] == "deep_q" else {},
    }
    (folder / "h.json").write_text(json.dumps(data))
    ended = quick("train", "h.json", "--out", "out", folder=folder)
    assert ended.code == 0, ended.err
    return folder / "out" / "seed-0"


@pytest.fixture(scope="module")
def agents(quick: Quick, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {env: trained(env, tmp_path_factory.mktemp("agent"), quick) for env in ENVS}


@pytest.mark.parametrize("env", ENVS)
def test_the_returns_are_those_of_an_evaluation_bit_for_bit(
    agents: dict[str, Path], env: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    file = hparams_file.read(agents[env] / "hparams.json")
    spec, facts = file.env_spec, describe(file.env_spec)

    def load() -> Any:
        return checkpoint.load(agents[env], file.agent, file.checked_hparams(), facts)

    with exact_arithmetic():
        played = play(load(), spec, facts, [3], marks=[0], episodes=4)
        seen = list(step_by_step(load, rendered(spec, "rgb_array"), facts, 3, episodes=4))

    ended = [event for event in seen if isinstance(event, Ended)]
    assert [event.returned for event in ended] == played.returns[0].tolist()
    assert len(seen) == sum(event.steps + 1 for event in ended) + len(ended)
    assert {event.failure for event in ended} == {None}


def test_a_film_is_what_evaluate_reports(agents: dict[str, Path], quick: Quick) -> None:
    agent = agents["CartPole-v1"]
    options = ("--episodes", "3", "--seed", "5")
    data = json.loads(quick("evaluate", str(agent), *options, "--json", folder=agent).out)

    lines = quick("watch", str(agent), *options, "--gif", "a.gif", folder=agent).out.splitlines()

    returns = [
        float(found[1]) for line in lines[:3] if (found := re.search(r"return (\S+),", line))
    ]
    assert [min(returns), max(returns)] == [data["minimum"], data["maximum"]]
    assert lines[3].startswith(f"wrote a.gif: 3 episodes, mean return {data['mean']:.1f}, ")


@pytest.mark.parametrize(("env", "fps"), [("CartPole-v1", 50), ("FrozenLake-v1", 4)])
def test_both_films_show_every_step_at_the_speed_of_the_environment(
    agents: dict[str, Path], quick: Quick, tmp_path: Path, env: str, fps: int
) -> None:
    ended = quick(
        "watch", str(agents[env]), "--gif", "a.gif", "--mp4", "a.mp4", folder=tmp_path, env=BLIND
    )

    assert (ended.code, ended.err) == (0, "")
    steps = int(re.findall(r"length (\d+)", ended.out)[0])
    gif, duration_ms = gif_of(tmp_path / "a.gif")
    mp4, spoken = mp4_of(tmp_path / "a.mp4")
    every = 2 if fps > 25 else 1
    assert len(mp4) == steps + 1
    assert len(gif) == -(-(steps + 1) // every)
    assert duration_ms == len(gif) * 1000 * every / fps
    assert gif.shape[1:] == mp4.shape[1:]
    for picture, same in zip(gif, mp4[::every], strict=True):
        assert np.abs(picture.astype(int) - same).mean() < 3  # of 255: colours are rounded
    assert np.ptp(gif.astype(int), axis=0).any() and np.ptp(mp4.astype(int), axis=0).max() > 50
    assert "h264" in spoken and "yuv420p" in spoken and f" {fps} fps" in spoken
    assert {path.name for path in tmp_path.iterdir()} == {"a.gif", "a.mp4"}


def gif_of(path: Path) -> tuple[np.ndarray, float]:
    """Frames [frames, height, width, 3] and how long they show."""
    frames = iio.imread(path, index=None, mode="RGB")
    return frames, sum(iio.immeta(path, index=n)["duration"] for n in range(len(frames)))


def mp4_of(path: Path) -> tuple[np.ndarray, str]:
    """Frames [frames, height, width, 3] and what ffmpeg says of the stream."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24"]
    ended = subprocess.run([*command, "-"], capture_output=True, check=True)
    stream = next(line for line in ended.stderr.decode().splitlines() if "Video: h264" in line)
    size = re.search(r" (\d+)x(\d+)[, ]", stream)
    assert size is not None
    return np.frombuffer(ended.stdout, np.uint8).reshape(-1, int(size[2]), int(size[1]), 3), stream


def test_a_window_shows_the_episodes_where_sdl_is_told_where_to_draw(
    agents: dict[str, Path], quick: Quick, tmp_path: Path
) -> None:
    blind = BLIND | {"SDL_VIDEODRIVER": "dummy"}

    ended = quick("watch", str(agents["CartPole-v1"]), folder=tmp_path, env=blind)

    assert (ended.code, ended.err) == (0, "")
    assert re.fullmatch(r"episode 1: return \S+, length \d+\n", ended.out)


@pytest.mark.parametrize("more", [{}, {"DISPLAY": ":77"}, {"SDL_VIDEODRIVER": "x11"}])
def test_without_a_display_films_are_named_as_the_way_out(
    agents: dict[str, Path], quick: Quick, tmp_path: Path, more: dict[str, str]
) -> None:
    ended = quick("watch", str(agents["CartPole-v1"]), folder=tmp_path, env=BLIND | more)

    assert (ended.code, ended.out) == (2, "")
    assert "no display; write a film with --gif FILE or --mp4 FILE" in ended.err
    assert "Traceback" not in ended.err


def test_a_closed_window_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    before = display.window_closed()
    pygame.display.init()
    open_still = display.window_closed()
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    closed = display.window_closed()
    pygame.display.quit()

    assert (before, open_still, closed) == (False, False, True)


def test_ctrl_c_leaves_no_half_film(agents: dict[str, Path], tmp_path: Path) -> None:
    command = ("watch", str(agents["CartPole-v1"]), "--episodes", "2000", "--mp4", "a.mp4")

    with started(*command, "--gif", "a.gif", folder=tmp_path) as recording:
        wait_until(lambda: any(path.stat().st_size for path in tmp_path.iterdir()))
        recording.send_signal(signal.SIGINT)
        _, err = recording.communicate(timeout=20)

    assert recording.returncode == 130
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_an_environment_without_pictures_is_refused_by_its_render_modes(
    agents: dict[str, Path], quick: Quick, tmp_path: Path
) -> None:
    agent = tmp_path / "agent"
    agent.mkdir()
    data = json.loads((agents["FrozenLake-v1"] / "hparams.json").read_text())
    data["env"] = {"id": "Probe/Countdown-v0", "kwargs": {}}
    data.pop("sha256")
    (agent / "hparams.json").write_text(json.dumps(data))
    (tmp_path / "probes_here.py").write_text("from tests import probes\n\nprobes.register()\n")
    watched = ("watch", "agent", "--allow-import", "probes_here")

    film = quick(*watched, "--gif", "a.gif", folder=tmp_path)
    window = quick(*watched, folder=tmp_path)

    assert film.code == window.code == 2
    assert "env 'Probe/Countdown-v0' cannot be rendered as pictures" in film.err
    assert "no render mode 'rgb_array' (its render modes: none)" in film.err
    assert "cannot be rendered in a window" in window.err
    assert not (tmp_path / "a.gif").exists()


FRAIL = """
import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv

class Frail(CartPoleEnv):
    def step(self, action):
        raise RuntimeError("the pole snapped")

gymnasium.register("Frail-v0", entry_point=Frail)
"""


def test_an_environment_that_fails_in_a_film_is_told_with_its_traceback(
    agents: dict[str, Path], quick: Quick, tmp_path: Path
) -> None:
    agent = shutil.copytree(agents["CartPole-v1"], tmp_path / "agent")
    data = json.loads((agent / "hparams.json").read_text())
    data["env"] = {"id": "Frail-v0", "kwargs": {}}
    data.pop("sha256")
    (agent / "hparams.json").write_text(json.dumps(data))
    (tmp_path / "frail.py").write_text(FRAIL)

    film = quick("watch", "agent", "--allow-import", "frail", "--gif", "a.gif", folder=tmp_path)

    assert film.code == 4
    assert "the environment failed" in film.err and "the pole snapped" in film.err
    assert not (tmp_path / "a.gif").exists()


def test_a_film_is_replaced_by_force_only(
    agents: dict[str, Path], quick: Quick, tmp_path: Path
) -> None:
    watched = ("watch", str(agents["FrozenLake-v1"]), "--gif", "a.gif")
    (tmp_path / "a.gif").write_text("mine")

    refused = quick(*watched, folder=tmp_path)
    kept = (tmp_path / "a.gif").read_text(errors="replace")
    forced = quick(*watched, "--force", folder=tmp_path)

    assert refused.code == 2
    assert "--gif: 'a.gif' exists; add --force to replace it" in refused.err
    assert kept == "mine"
    assert forced.code == 0
    assert (tmp_path / "a.gif").read_bytes().startswith(b"GIF89a")


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["--gif", "a.mp4"], "--gif: 'a.mp4' must end in .gif"),
        (["--mp4", "a"], "--mp4: 'a' must end in .mp4"),
        (["--gif", "no/a.gif"], "--gif: directory 'no' does not exist; make it first"),
        (["--mp4", "/proc/a.mp4"], "--mp4: '/proc/a.mp4' cannot be written"),
        (["--gif", "a.gif", "--mp4", "a.txt"], "--mp4: 'a.txt' must end in .mp4"),
        (["--gif", "a.gif", "--episodes", "0"], "--episodes: must be at least 1 (got 0)"),
        (["--gif", "a.gif", "--episodes", "1000001"], "--episodes: more than 1,000,000"),
        (["--gif", "a.gif", "--seed", "-1"], "--seed: must be 0 to 4294967295 (got -1)"),
    ],
    ids=typed,
)
def test_what_cannot_be_filmed_is_refused_and_nothing_is_written(
    agents: dict[str, Path], quick: Quick, tmp_path: Path, arguments: list[str], fragment: str
) -> None:
    ended = quick("watch", str(agents["FrozenLake-v1"]), *arguments, folder=tmp_path)

    assert_refused(ended, fragment)
    assert ended.out == ""
    assert list(tmp_path.iterdir()) == []
