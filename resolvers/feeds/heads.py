"""Where many rooms are, in one statement: what a lost hint has left unread is found here."""

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from resolvers.hand_written.room_feed import ROOM, RoomFeed
from resolvers.sql.database import Database
from resolvers.walk.parameter_text import array_of_texts
from schema.model import Catalog


class Heads(NamedTuple):
    """The epoch, and the last seq of each room that has another than was known."""

    epoch: str
    changed: Mapping[str, int]


async def changed_heads(database: Database, catalog: Catalog, feed: RoomFeed, known: Mapping[str, int]) -> Heads:
    """Raises DatabaseError."""
    right, counter = feed.rights[0], feed.counter
    (column,) = (name for name, value in right.key.items() if value is ROOM)
    sql = f"""
        SELECT json_build_object('epoch', {feed.epoch}, 'changed', coalesce(json_object_agg(asked.room, counter.{counter.seq}), '{{}}'))
        FROM unnest(CAST(CAST($1 AS text) AS text[]), CAST(CAST($2 AS text) AS bigint[])) AS asked (room, seq)
        JOIN {counter.table} AS counter ON counter.{counter.room} = CAST(asked.room AS {catalog[right.table].columns[column].type.sql})
        WHERE counter.{counter.seq} <> asked.seq"""  # noqa: S608 - names of ours
    arguments = [array_of_texts(known), array_of_texts(map(str, known.values()))]
    found = orjson.loads(await database.fetch_json(sql, arguments))
    return Heads(found["epoch"], found["changed"])
