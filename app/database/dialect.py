"""SQLAlchemy's asyncpg dialect, with a question that costs one round trip."""

from typing import Final, cast

import asyncpg
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection, PGDialect_asyncpg
from sqlalchemy.engine.interfaces import DBAPIConnection

# What stands before `://` in an engine's address.
DRIVERNAME: Final = "postgresql+nchat"


class CheaplyAskedDialect(PGDialect_asyncpg):
    """Is asked before every transaction whether its connection lives: SQLAlchemy's own answer is a prepared statement in a
    transaction, four round trips."""

    supports_statement_cache = True

    def do_ping(self, dbapi_connection: DBAPIConnection) -> bool:
        """Whether the connection can be used; False has the pool open another. A simple query is what pgbouncer understands too.

        Raises TimeoutError when the server does not answer: it would not answer another connection either.
        """
        try:
            cast("AsyncAdapt_asyncpg_connection", dbapi_connection).run_async(_ask)
        except TimeoutError:
            raise
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            # The third is asyncpg's word where the server has said goodbye and has not hung up yet.
            return False
        return True


async def _ask(connection: "asyncpg.Connection") -> str:
    return await connection.execute("SELECT")


registry.register("postgresql.nchat", __name__, CheaplyAskedDialect.__name__)
