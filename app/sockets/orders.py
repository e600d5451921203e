"""What an operator orders, and where it stands: in the operator's own session in PostgreSQL.

A notification says that there is an order, and in which session. What it is the processes read in `pg_stat_activity`, which shows the
statements of a session to its own role alone: no other role of the database can give an order, or learn where the answers go.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import asyncpg
import orjson

Deed = Literal["list", "close"]

CHANNEL: Final = "nchat_rtc_orders"
# Seconds for PostgreSQL to answer.
TIMEOUT: Final = 5.0
BROKEN: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

# A process that takes orders calls its connection so, with its own name behind it: those that live are known by that.
# PostgreSQL's names are of 63 bytes.
_TAKES_ORDERS: Final = "nchat-rtc orders "
_NAME: Final = 63 - len(_TAKES_ORDERS)
_MARK: Final = "nchat-rtc order "
# PostgreSQL shows a statement's first 1,023 bytes, unless `track_activity_query_size` is another.
_SHOWN: Final = 1_023

PROCESSES: Final = f"""
    SELECT pid, substr(application_name, {len(_TAKES_ORDERS) + 1}) AS name FROM pg_stat_activity
    WHERE datname = current_database() AND usename = session_user AND starts_with(application_name, '{_TAKES_ORDERS}')"""  # noqa: S608
ORDER_OF: Final = "SELECT query FROM pg_stat_activity WHERE pid = $1 AND datname = current_database() AND usename = session_user"


@dataclass(frozen=True, slots=True)
class Order:
    """`answers` is the channel on which whoever gives it listens; `user` None means everybody."""

    deed: Deed
    user: str | None
    answers: str

    def statement(self) -> str:
        """Tells all processes. It has to stay the session's last one until they have read it. Raises ValueError for too long a user."""
        statement = f"SELECT pg_notify('{CHANNEL}', '') /* {_MARK}{orjson.dumps(asdict(self)).hex()} */"
        if len(statement) > _SHOWN:
            raise ValueError("an id of that length can't be asked for")
        return statement


def order_in(statement: str | None) -> Order | None:
    """The order that stands in a session's last statement; None when there is none, or it can't be read."""
    _, mark, rest = (statement or "").partition(_MARK)
    try:
        return Order(**orjson.loads(bytes.fromhex(rest.removesuffix(" */")))) if mark else None
    except (ValueError, TypeError):
        return None


async def connect(url: str, settings: Mapping[str, str] | None = None) -> "asyncpg.Connection[Any]":
    """A connection of its own; raises one of BROKEN."""
    own = {"application_name": "nchat-rtc sockets", "jit": "off", "synchronous_commit": "off", **(settings or {})}
    return await asyncpg.connect(url, timeout=TIMEOUT, statement_cache_size=0, server_settings=own)


def connection_name() -> str:
    """What this process calls the connection over which it takes orders: its machine's name, of a long one the end, and its number."""
    process = f":{os.getpid()}"
    return _TAKES_ORDERS + socket.gethostname()[-(_NAME - len(process)) :] + process
