"""Why a service does not start, in one sentence for the person who started it."""

from typing import Final

import asyncpg

from app.auth import ConfigurationError
from app.dependencies import NotMigrated
from permissions.nodes import MetadataError
from resolvers.plan import DatabaseError

# What is expected to go wrong: settings, metadata, a database that isn't there or isn't ready. Anything else is our fault.
STARTUP_ERRORS: Final = (ConfigurationError, MetadataError, NotMigrated, DatabaseError, asyncpg.PostgresError, OSError)


def sentence(error: Exception) -> str:
    """What is wrong and what to do; no address and no secret."""
    match error:
        case NotMigrated() | DatabaseError(sqlstate="42P01"):
            return "the database is not at the newest migration: run `nchat-rtc migrate`"
        case OSError():
            return f"the database can't be reached: {error.strerror or type(error).__name__}"
        case asyncpg.PostgresError():
            return f"the database refused: {error}"
    return str(error)
