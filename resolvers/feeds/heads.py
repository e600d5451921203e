"""Where many rooms are, in one statement: what a lost hint has left unread is found here."""

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from resolvers.hand_written.room_feed import ROOM, RoomFeed
from resolvers.sql.database import Database
from resolvers.walk.parameter_text import array_of_texts
from schema.model import Catalog


class KnownSeqs(NamedTuple):
    """Of a room: the last seq that all who follow were told, and the last one that any of them has heard of."""

    head: int
    latest: int


class Heads(NamedTuple):
    """The epoch, and the last seq of each room where not all have heard of it, or somebody has heard of a later one."""

    epoch: str
    changed: Mapping[str, int]


async def changed_heads(database: Database, catalog: Catalog, feed: RoomFeed, known: Mapping[str, KnownSeqs]) -> Heads:
    """Raises DatabaseError."""
    right, counter = feed.rights[0], feed.counter
    (column,) = (name for name, value in right.key.items() if value is ROOM)
    sql = f"""
        SELECT json_build_object('epoch', {feed.epoch}, 'changed', coalesce(json_object_agg(asked.room, counter.{counter.seq}), '{{}}'))
        FROM unnest(CAST(CAST($1 AS text) AS text[]), CAST(CAST($2 AS text) AS bigint[]), CAST(CAST($3 AS text) AS bigint[]))
            AS asked (room, head, latest)
        JOIN {counter.table} AS counter ON counter.{counter.room} = CAST(asked.room AS {catalog[right.table].columns[column].type.sql})
        WHERE counter.{counter.seq} <> asked.head OR counter.{counter.seq} < asked.latest"""  # noqa: S608 - names of ours
    heads, latest = ([str(seq) for seq in seqs] for seqs in zip(*known.values(), strict=True))
    arguments = [array_of_texts(known), array_of_texts(heads), array_of_texts(latest)]
    found = orjson.loads(await database.fetch_json(sql, arguments))
    return Heads(found["epoch"], found["changed"])
