"""Work of the jobs does not wait long for rows that somebody else holds: others wait behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import sqlalchemy as sa

from domain.world import Transaction

# What a request holds for longer, it holds for long.
WAIT_MS: Final = 1000
# PostgreSQL's lock_not_available and deadlock_detected.
HELD: Final = frozenset({"55P03", "40P01"})


class HeldByAnother(Exception):
    """Somebody held a row for too long. Nothing of the transaction is kept; nobody is at fault, and later it will do."""


@asynccontextmanager
async def short_waits(tx: Transaction) -> AsyncIterator[None]:
    """From here to the end of the transaction no lock is waited for longer than a second. Raises HeldByAnother."""
    await tx.connection.execute(sa.text(f"SET LOCAL lock_timeout = {WAIT_MS}"))
    try:
        yield
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in HELD:
            raise HeldByAnother from error
        raise
