"""Why a service does not start, in one sentence for the person who started it."""

import os
from typing import Final

import asyncpg

from app.database.migration_state import DatabaseIsNewer, NotMigrated
from app.settings import ConfigurationError
from permissions.reading.nodes import MetadataError
from resolvers.sql.database import DatabaseError

NEWER_DATABASE: Final = "the database is at a migration that this version does not know: it belongs to a newer version of the service"
# How asyncpg says that a connection is gone while it is used.
CUT: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)
# What is expected to go wrong: settings, metadata, a database that isn't there or isn't ready. Anything else is our fault.
STARTUP_ERRORS: Final = (ConfigurationError, MetadataError, NotMigrated, DatabaseError, asyncpg.PostgresError, *CUT, OSError)


def sentence(error: Exception) -> str:
    """What is wrong and what to do; no address and no secret."""
    match error:
        case DatabaseIsNewer():
            return NEWER_DATABASE
        case NotMigrated() | DatabaseError(sqlstate="42P01"):
            return "the database is not at the newest migration: run `nchat-rtc migrate`"
        case TimeoutError():
            return "the database of NCHAT_DATABASE_URL takes connections and does not answer: it hangs, or the network to it does"
        case OSError():
            return f"the database of NCHAT_DATABASE_URL can't be reached: {_reason(error)}"
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return "the connection to the database of NCHAT_DATABASE_URL was cut: start it again"
        case asyncpg.LockNotAvailableError():
            return "somebody holds a table for too long: run it again"
        case asyncpg.PostgresError():
            return f"the database of NCHAT_DATABASE_URL refused: {error}"
    return str(error)


def _reason(error: OSError) -> str:
    """asyncio writes the address into `strerror`; names that aren't found have codes of their own."""
    if error.errno is None or error.errno <= 0:
        return error.strerror or type(error).__name__
    return os.strerror(error.errno)
