"""Processes that really run: neither gone, nor dead and not yet collected by their parent."""

from collections.abc import Iterable

import psutil


def living(processes: Iterable[psutil.Process]) -> dict[psutil.Process, str]:
    """Those that live, with their command lines. One that ends while it is looked at does not live."""
    found: dict[psutil.Process, str] = {}
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found[process] = " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
    return found
