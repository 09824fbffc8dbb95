"""Whether there is a screen, and what happens to the window that an environment opened there.

Environments draw with pygame, and pygame with SDL. Where SDL finds no screen it draws into memory
and says nothing.
"""

import os
import sys
from types import ModuleType

DRIVER = "SDL_VIDEODRIVER"  # whoever sets it knows where pictures shall go
BLIND = {"dummy", "offscreen", "evdev"}


def is_there() -> bool:
    """Whether a window would be seen."""
    chosen = DRIVER in os.environ
    wired = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if sys.platform == "linux" and not chosen and not wired:
        return False
    pygame = _loaded()
    try:
        pygame.display.init()
    except pygame.error:
        return False
    found = pygame.display.get_driver()
    pygame.display.quit()
    return chosen or found not in BLIND


def do_without() -> None:
    """Have pictures drawn in memory. To be called before any environment draws."""
    os.environ.setdefault(DRIVER, "dummy")
    _loaded()


def window_closed() -> bool:
    """Whether somebody has closed the window. One that is not pygame's cannot say."""
    pygame = _loaded()
    return pygame.display.get_init() and bool(pygame.event.get(pygame.QUIT))


def _loaded() -> ModuleType:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # it would greet on stdout
    os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")  # it would take SIGTERM for an event
    import pygame

    return pygame
