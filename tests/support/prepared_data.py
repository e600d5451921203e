"""What a first `make run` leaves in its data folder, made once for all workers of a run: it takes longer than all else of a start."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.seeded_server import seeded_server


class PreparedData:
    """A data folder with PostgreSQL's files: the database `nchat`, migrated, with the demo data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def copy_to(self, folder: Path) -> Path:
        """A folder of the caller's own. Owners stay: as root PostgreSQL's files may be another's."""
        subprocess.run(["cp", "-a", self._folder, folder], check=True)
        return folder


def prepared_once(factory: pytest.TempPathFactory) -> PreparedData:
    """By the first worker that asks; another waits for it."""
    own = factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made = shared / "prepared-data"
    with (shared / "prepared-data.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _make(made.with_suffix(".new")).rename(made)
    return PreparedData(made)


def _make(folder: Path) -> Path:
    with seeded_server(folder, "nchat"):
        return folder
