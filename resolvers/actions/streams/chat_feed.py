"""The subscription `streamChat`: messages and what was done to them, two tables on one sequence."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple, cast

import orjson
import strawberry

from domain.errors import Banned, NotFound
from permissions.expressions import Compare, Constant
from resolvers.actions.feed import PEOPLE, person, room_feed
from resolvers.hand_written.context import Read
from resolvers.hand_written.room_feed import PAGE, ROOM, Bar, Counter, Event, Place, ReadPage, Right, RoomFeed
from resolvers.sql.database import Database
from schema.model import TableName
from schema.table_types.scalars import bigint, timestamptz, uuid
from schema.tables.history import EPOCH
from schema.types.camel_case import camel_type
from schema.types.stream_chat import StreamChatEvent, StreamChatEventKind, StreamChatMessage

# What happened, and nothing of what was said. One statement for both tables: read one after the other they could miss a number between.
# A deletion takes back the message and all that was done to it.
HAPPENED: Final = f"""
    SELECT coalesce(json_agg(json_build_array(seq, kind, message_id, is_deleted, takes_back) ORDER BY seq), '[]')
    FROM (
        (
            SELECT seq, 'message' AS kind, id AS message_id, is_deleted, 0 AS takes_back
            FROM nchat_stream_chat
            WHERE stream_id = $1::text::uuid AND seq > $2::text::bigint
            ORDER BY seq LIMIT {PAGE}
        ) UNION ALL (
            SELECT event.seq, event.kind, event.message_id, message.is_deleted, CASE event.kind WHEN 'deleted' THEN greatest(message.seq, (
                SELECT max(earlier.seq) FROM nchat_stream_chat_events AS earlier
                WHERE earlier.message_id = event.message_id AND earlier.seq < event.seq
            )) ELSE 0 END
            FROM nchat_stream_chat_events AS event JOIN nchat_stream_chat AS message ON message.id = event.message_id
            WHERE event.stream_id = $1::text::uuid AND event.seq > $2::text::bigint
            ORDER BY event.seq LIMIT {PAGE}
        )
        ORDER BY seq LIMIT {PAGE}
    ) AS happened"""  # noqa: S608 - a number of ours

# What was said, with the permissions of those who follow; what is deleted not even for those whose rule shows it.
SAID: Final = """query ($stream: uuid!, $ids: [uuid!]!) {
  messages: nchat_stream_chat(where: {stream_id: {_eq: $stream}, id: {_in: $ids}, is_deleted: {_eq: false}}) {
    id content reply_to_id is_highlighted is_pinned created_at media_seconds user { id display_name avatar_url }
  }
}"""
NOT_DELETED: Final = Compare("is_deleted", "_eq", Constant(False))

STREAMS, CHAT, USERS = TableName("public", "nchat_streams"), TableName("public", "nchat_stream_chat"), TableName("public", "nchat_users")


class _Happened(NamedTuple):
    seq: int
    kind: str
    message_id: uuid
    is_deleted: bool
    takes_back: int


def _pages(database: Database) -> ReadPage:
    async def read_page(read: Read, room: str, after: int, epoch: str) -> Sequence[Event]:
        rows = orjson.loads(await database.fetch_json(HAPPENED, [room, str(after)]))
        happened = [_Happened(*row) for row in rows]
        ids = {one.message_id for one in happened if not one.is_deleted}
        said = (await read(SAID, {"stream": room, "ids": list(ids)}))["messages"] if ids else []
        messages = {row["id"]: row for row in said}
        return [_event(one, messages.get(one.message_id), epoch) for one in happened]

    return read_page


def _event(happened: _Happened, message: Mapping[str, Any] | None, epoch: str) -> Event:
    shown = StreamChatEvent(
        seq=bigint(happened.seq),
        epoch=epoch,
        # The view of a role reads an enum as the bare word.
        kind=cast(StreamChatEventKind, happened.kind),
        message_id=happened.message_id,
        message=None if message is None else _message(message),
    )
    return Event(happened.seq, shown, happened.takes_back, hidden=message is None and not happened.is_deleted)


def _message(row: Mapping[str, Any]) -> StreamChatMessage:
    return StreamChatMessage(
        id=row["id"],
        content=row["content"],
        reply_to_id=row["reply_to_id"],
        author=person(row["user"]),
        is_highlighted=row["is_highlighted"],
        is_pinned=row["is_pinned"],
        created_at=timestamptz(row["created_at"]),
        media_seconds=row["media_seconds"],
    )


FEED: Final = RoomFeed(
    name="streamChat",
    topic=lambda stream_id: f"stream_chat:{stream_id}",
    counter=Counter(TableName("public", "nchat_stream_counters"), "stream_id", "chat_seq"),
    epoch=EPOCH,
    rights=[Right(STREAMS, {"id": ROOM}, NotFound, Bar("bans", Banned))],
    within={CHAT: "stream"},
    beside=[USERS],
    page=_pages,
    given={CHAT: NOT_DELETED},
)


def stream_chat(
    stream_id: Annotated[uuid, strawberry.argument(name="streamId")],
    after: bigint | None = strawberry.UNSET,
    epoch: str | None = strawberry.UNSET,
) -> AsyncGenerator[StreamChatEvent, None]:
    """What is said at a stream: the events after the seq `after` (0: all, null: from now on), then each new one, gapless and in order.

    With the `epoch` of the last event it is told (history-changed) when the database was restored to an older state since.
    """
    place = Place(FEED, str(stream_id), None if after is strawberry.UNSET else after, epoch or None)
    return cast(AsyncGenerator[StreamChatEvent, None], place)


@camel_type
class Subscription:
    stream_chat = room_feed(stream_chat, PEOPLE | {"anonymous"})
