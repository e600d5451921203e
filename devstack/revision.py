"""Writes the next revision from what changed in the models: `make revision m="Notes of calls"`."""

import io
import re
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import Script

from devstack.migrated_database import migrated_database

ROOT: Final = Path(__file__).parents[1]
NO_MESSAGE: Final = 'Say in a few words what the revision brings: make revision m="Notes of calls"'
TO_READ: Final = (
    "Read it: alembic sees no triggers, functions and changed CHECKs, drops no enum, and takes a new name for a drop and an addition."
)
EMPTY: Final = "The models say what the migrations make: it is empty, for what alembic does not see (triggers, functions, CHECKs, rows)."


def write_revision(message: str) -> tuple[Path, bool]:
    """The new file, and whether the models differ from what the revisions before it make; if not, it does nothing yet.

    The comparison needs no database of one's own. Number and format come from `migrations/env.py` and `alembic.ini`, so plain
    `alembic revision` gives the same.
    """
    differs: list[bool] = []

    def look(_context: MigrationContext, _heads: object, scripts: list[MigrationScript]) -> None:
        differs.extend(script.upgrade_ops is not None and not script.upgrade_ops.is_empty() for script in scripts)

    config = Config(ROOT / "alembic.ini")
    with migrated_database() as config.attributes["url"], redirect_stdout(io.StringIO()):
        written = command.revision(config, message, autogenerate=True, process_revision_directives=look)
    if not isinstance(written, Script):
        raise TypeError(f"alembic wrote {written}")
    return Path(written.path), any(differs)


def main(words: Iterable[str]) -> None:
    """Prints the file and what to look for in it; without a word to name it by, SystemExit with a sentence."""
    message = " ".join(words).strip().removesuffix(".")
    if not re.search(r"\w", message):
        raise SystemExit(NO_MESSAGE)
    path, differs = write_revision(message)
    print(path.relative_to(ROOT))
    print(TO_READ if differs else EMPTY)


if __name__ == "__main__":
    main(sys.argv[1:])
