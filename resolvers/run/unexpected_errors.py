"""Faults of our own: an id for the client, the details for the log, and nothing of the request in either."""

import traceback
from uuid import uuid4

import structlog

from permissions.errors import GraphQLRefusal
from resolvers.sql.database import DatabaseError

_FRAMES = 8

log = structlog.get_logger(__name__)


def unexpected(error: BaseException, path: str = "$") -> GraphQLRefusal:
    """Logs where it happened, by files and lines: messages may hold values of the request, and a document may hold secrets."""
    error_id = uuid4().hex
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]]
    sqlstate = error.sqlstate if isinstance(error, DatabaseError) else None
    log.error("unexpected", id=error_id, error=type(error).__name__, sqlstate=sqlstate, frames=frames)
    message = "database query error" if isinstance(error, DatabaseError) else "internal error"
    return GraphQLRefusal("unexpected", message, path, id=error_id)
