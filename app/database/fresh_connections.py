"""Whether a connection of SQLAlchemy's pool still leads to PostgreSQL: asked of the socket each time, of the server after a rest.

SQLAlchemy's own ping is three round trips (a transaction around an empty statement) before every one of ours.
"""

import time
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry

# Seconds of rest. What happens to a connection in use is seen by who uses it.
ASKED_AFTER: Final = 1.0
RESTING_SINCE: Final = "resting_since"


def ask_before_use(engine: sa.Engine) -> None:
    """A connection that is gone is replaced before anybody gets it."""

    def rests(_connection: Any, entry: ConnectionPoolEntry) -> None:
        entry.info[RESTING_SINCE] = time.monotonic()

    def leads_there(connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
        driver = entry.driver_connection
        since = entry.info.get(RESTING_SINCE)
        if driver is None or driver.is_closed():
            raise sa.exc.DisconnectionError
        if since is not None and time.monotonic() - since > ASKED_AFTER:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.dbapi.Error as error:  # type: ignore[union-attr]
                raise sa.exc.DisconnectionError from error

    sa.event.listen(engine, "checkin", rests)
    sa.event.listen(engine, "checkout", leads_there)
