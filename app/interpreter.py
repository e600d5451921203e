"""How Python behaves in a process that serves for weeks."""

import gc
import sys

# Seconds until the event loop has the interpreter back from the compile thread; Python's own 5 ms are paid several times a request.
_SWITCH_INTERVAL = 0.001
# A large compilation makes hundreds of thousands of objects: looked through too often they hold the loop, too seldom they pile up.
_THRESHOLDS = (20_000, 10, 10)
# While it loads nearly all that is made stays: looking through it again and again takes a fifth of a start.
_WHILE_LOADING = (200_000, 20, 100)


def load() -> None:
    """Called before anything large is made, or imported."""
    gc.set_threshold(*_WHILE_LOADING)


def settle() -> None:
    """Called when everything is loaded: what lives for ever is no longer looked at by the garbage collector, and threads give way soon."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    sys.setswitchinterval(_SWITCH_INTERVAL)
