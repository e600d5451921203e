"""PostgreSQL as Debian has it: with extensions, and XML, that the wheel of the tests' server lacks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack.postgres import EmbeddedPostgres

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@contextmanager
def debian_server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """Skips the test where there is none."""
    if not _PROGRAMS:
        pytest.skip("no PostgreSQL with extensions: install the package postgresql")
    server = EmbeddedPostgres(folder, programs=_PROGRAMS[-1].parent, locale=["--locale=C.UTF-8"])
    server.start()
    try:
        yield server
    finally:
        server.stop()
