"""An environment that goes wrong, known to gymnasium in every child process.

A study file names registered ids only, and no module to import. So that every new Python process
knows this one, a folder on PYTHONPATH holds a sitecustomize.py, which Python runs as it starts.
"""

from pathlib import Path

MODULE = '''
import os
import signal
import time

from gymnasium.envs.classic_control import CartPoleEnv


class Fragile(CartPoleEnv):
    """Goes wrong in every step after the first so many, or only once if there is a fuse: a file
    that it burns."""

    def __init__(self, fault, after=0, fuse=""):
        super().__init__()
        self._fault, self._left, self._fuse = fault, after, fuse

    def step(self, action):
        self._left -= 1
        observation, reward, terminated, truncated, info = super().step(action)
        if self._blows():
            if self._fault == "raise":
                raise RuntimeError("the pole snapped")
            if self._fault == "die":
                os.kill(os.getpid(), signal.SIGSEGV)
            if self._fault == "hang":
                time.sleep(1_000)
            if self._fault == "nan":
                reward = float("nan")
            if self._fault == "huge":
                reward = 3e38
            if self._fault == "chatter":
                print("noise on stdout", flush=True)
        return observation, reward, terminated, truncated, info

    def _blows(self):
        if self._left >= 0:
            return False
        if not self._fuse:
            return True
        try:
            os.unlink(self._fuse)
        except FileNotFoundError:
            return False
        return True

'''
STARTUP = """
import gymnasium

gymnasium.register("Fragile-v0", entry_point="fragile:Fragile", max_episode_steps=100)
"""


def installed(folder: Path) -> dict[str, str]:
    """The process environment in which gymnasium knows Fragile-v0."""
    site = folder / "site"
    site.mkdir()
    (site / "fragile.py").write_text(MODULE)
    (site / "sitecustomize.py").write_text(STARTUP)
    return {"PYTHONPATH": str(site)}
