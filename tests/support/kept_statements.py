"""Statements, compiled once for all engines of a test process: each test opens an engine, and to compile was a quarter of what its
actions took in Python."""

from typing import Any, Final

from sqlalchemy import util
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import app.database.transactions

# Nearly all that the product writes; the engine of a service keeps a third of it.
KEPT: Final = 1500
# The dialect, what the statement says, the columns that are given, whether schemas are translated, whether it is for many rows.
Key = tuple[Any, ...]


class KeptStatements(util.LRUCache[Key, Any]):
    """What one engine compiled another of the same kind takes: their dialects differ in nothing, and speak to the same server."""

    def get(self, key: Key, default: Any = None) -> Any:
        return super().get(_of_kind(key), default)

    def __getitem__(self, key: Key) -> Any:
        return super().__getitem__(_of_kind(key))

    def __setitem__(self, key: Key, compiled: Any) -> None:
        super().__setitem__(_of_kind(key), compiled)


def _of_kind(key: Key) -> Key:
    return type(key[0]), *key[1:]


def keep_statements() -> None:
    """From now on, in this process."""
    kept = KeptStatements(KEPT)

    def created(*arguments: Any, **named: Any) -> AsyncEngine:
        engine = create_async_engine(*arguments, **named)
        engine.sync_engine._compiled_cache = kept
        return engine

    setattr(app.database.transactions, "create_async_engine", created)  # noqa: B010 - imported there, not defined
