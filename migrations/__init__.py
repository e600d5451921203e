"""The database's schema over time: alembic's revisions, and the calls that run them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

# Alembic keeps its context in a global: threads of one process take turns here, processes by a lock in the database.
_one_at_a_time = Lock()


def configuration(url: str) -> Config:
    """Alembic's configuration for one database (`postgresql://…`), without a file and without output."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Brings the database to a revision. Several processes may call it at once: one works, the others wait for it.

    Blocking, and it runs an event loop of its own: from a coroutine, call it in a thread.
    """
    with _one_at_a_time:
        command.upgrade(configuration(url), revision)


def downgrade(url: str, revision: str = "base") -> None:
    """Takes the database back to a revision; `base` leaves nothing of ours. Data in what is dropped is lost."""
    with _one_at_a_time:
        command.downgrade(configuration(url), revision)


def head() -> str:
    """The newest revision that this code brings."""
    return revisions()[0]


@cache
def revisions() -> Sequence[str]:
    """Every revision that this code brings, the newest first. They don't change while it runs, and reading them takes a while."""
    return tuple(script.revision for script in ScriptDirectory(str(Path(__file__).parent)).walk_revisions())
