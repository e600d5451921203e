"""Ways in which a database comes back as it was: each takes a backup, and later brings it back under a service that goes on."""

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CalledProcessError
from typing import Protocol
from urllib.parse import urlsplit

from app.cli import main
from devstack.postgres import EmbeddedPostgres

# pg_restore takes its locks table by table, beside statements that have others: PostgreSQL may end it, and nothing has changed then.
TRIES = 5
_ARCHIVED = ("archive_mode = on", "archive_command = 'cp %p {archive}/%f'")
_RECOVERED = """
restore_command = 'cp {archive}/%f "%p"'
recovery_target_name = 'backup'
recovery_target_action = 'promote'
"""


class Backup(Protocol):
    """Of the database at `url`; everything blocks."""

    url: str

    def take(self) -> None:
        """What is there now can be had back."""
        ...

    def restore(self) -> None:
        """It is there again, and whoever has to say so has said it."""
        ...


class Dump:
    """pg_dump, and one of the ways to put it back; then `nchat-rtc restored`, as the docs ask for."""

    def __init__(self, server: EmbeddedPostgres, url: str, folder: Path, put_back: Callable[["Dump"], None]) -> None:
        self.server, self.url, self._put_back = server, url, put_back
        self.name, self.file = urlsplit(url).path.removeprefix("/"), folder / "backup.dump"

    def take(self) -> None:
        self.server.tool("pg_dump", "-Fc", "-f", str(self.file), self.name)

    def restore(self) -> None:
        self._put_back(self)

    def sql(self, statement: str) -> None:
        """By another database of the server."""
        self.server.tool("psql", "-d", "postgres", "-qv", "ON_ERROR_STOP=1", "-c", statement)

    def load(self, name: str, *options: str) -> None:
        """The dump into that database."""
        self.server.tool("pg_restore", "--exit-on-error", "--no-owner", *options, "-d", name, str(self.file))

    def say(self, name: str) -> None:
        """That this is another history."""
        assert main(["restored", "--database-url", self.server.database_url(name)]) == 0


def over_it(dump: Dump) -> None:
    """In one transaction, while everybody is connected: all objects are others afterwards, and the connections are the same."""
    for tries in range(1, TRIES + 1):
        try:
            dump.load(dump.name, "--clean", "--if-exists", "--single-transaction")
            break
        except CalledProcessError as error:
            if "deadlock" not in error.stderr or tries == TRIES:
                raise AssertionError(error.stderr) from error
    dump.say(dump.name)


def made_anew(dump: Dump) -> None:
    """The database is gone, then empty, then half there, before the eyes of the service."""
    dump.sql(f'DROP DATABASE "{dump.name}" WITH (FORCE)')
    dump.server.create_database(dump.name)
    dump.load(dump.name)
    dump.say(dump.name)


def beside_it(dump: Dump) -> None:
    """Into another database, which is told that it is another history, and then takes the place of the first."""
    beside, before = f"{dump.name}_beside", f"{dump.name}_before"
    dump.server.create_database(beside)
    dump.load(beside)
    dump.say(beside)
    dump.sql(f'ALTER DATABASE "{dump.name}" ALLOW_CONNECTIONS false')
    dump.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{dump.name}'")
    dump.sql(f'ALTER DATABASE "{dump.name}" RENAME TO "{before}"')
    dump.sql(f'ALTER DATABASE "{beside}" RENAME TO "{dump.name}"')
    dump.sql(f'DROP DATABASE "{before}" WITH (FORCE)')


class PointInTime:
    """A base backup and the WAL since, up to the moment when it was taken. A recovery begins a timeline, and nobody says anything."""

    def __init__(self, server: EmbeddedPostgres, url: str, folder: Path) -> None:
        self._server, self.url = server, url
        self._base, self._archive = folder / "base", folder / "archive"

    def prepare(self) -> None:
        """The server keeps its WAL from now on, and there is a base backup. It is started again."""
        self._archive.mkdir()
        _give(self._archive, self._server.data)
        with (self._server.data / "postgresql.auto.conf").open("a") as settings:
            settings.writelines(f"{line.format(archive=self._archive)}\n" for line in _ARCHIVED)
        self._server.stop()
        self._server.start()
        self._server.tool("pg_basebackup", "-D", str(self._base), "--checkpoint=fast", "--wal-method=none")

    def take(self) -> None:
        self._sql("SELECT pg_create_restore_point('backup')")
        self._sql("SELECT pg_switch_wal()")

    def restore(self) -> None:
        self._server.stop()
        data = self._server.data
        data.rename(data.with_suffix(".lost"))
        self._base.rename(data)
        with (data / "postgresql.auto.conf").open("a") as settings:
            settings.write(_RECOVERED.format(archive=self._archive))
        (data / "recovery.signal").touch()
        _give(data, data.with_suffix(".lost"))
        self._server.start()

    def _sql(self, statement: str) -> None:
        self._server.tool("psql", "-d", "postgres", "-qc", statement)


def _give(path: Path, like: Path) -> None:
    """To whoever has the other one: PostgreSQL may not be who we are."""
    owner = like.stat().st_uid
    for one in (path, *path.rglob("*")):
        if one.stat().st_uid != owner:
            os.chown(one, owner, -1)
