"""The garbage collector's part in a process that serves for weeks."""

import gc


def settle_memory() -> None:
    """Called when everything is loaded: what lives for ever is no longer looked at by the garbage collector."""
    gc.collect()
    gc.freeze()
