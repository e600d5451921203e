"""The subscription `streamEvents`: the present state of a stream again and again, with what of it is news."""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any, Final, cast

import orjson
import strawberry

from domain.errors import Banned, NotFound
from resolvers.actions.feed import PEOPLE, room_feed
from resolvers.hand_written.context import Read
from resolvers.hand_written.room_feed import ROOM, Bar, Counter, Event, Place, ReadPage, Right, RoomFeed
from resolvers.sql.database import Database
from schema.model import TableName
from schema.table_types.scalars import bigint, timestamptz, uuid
from schema.tables.history import EPOCH
from schema.types.audience.events import StreamEvent, StreamEventKind, StreamReactionTotal
from schema.types.camel_case import camel_type
from schema.types.vocabulary import reaction_type, stream_status

# Seconds between two looks at a stream: totals go out at most four times a second.
EVERY: Final = 0.25
# All of it is for everyone who sees the stream, whatever the role.
PRESENT: Final = """
    SELECT json_build_object(
        'status', stream.status, 'viewers', stream.viewer_count, 'host_is_gone', stream.host_gone_since IS NOT NULL, 'at', now(),
        'totals', (
            SELECT coalesce(json_agg(json_build_array(type, total) ORDER BY type), '[]')
            FROM nchat_stream_reaction_totals WHERE stream_id = stream.id
        ),
        'seqs', json_build_object('status', status_seq, 'viewers', viewers_seq, 'reactions', reactions_seq, 'host', host_seq)
    )
    FROM nchat_streams AS stream JOIN nchat_stream_news AS news ON news.stream_id = stream.id
    WHERE stream.id = $1::text::uuid"""

NEWS, STREAMS = TableName("public", "nchat_stream_news"), TableName("public", "nchat_streams")


def _pages(database: Database) -> ReadPage:
    async def read_page(read: Read, room: str, after: int, epoch: str) -> Sequence[Event]:  # noqa: ARG001 - in nobody's name
        found = await database.fetch_json(PRESENT, [room])
        return _events(orjson.loads(found), after) if found else []

    return read_page


def _events(found: dict[str, Any], after: int) -> list[Event]:
    """What is news after that number, the last with the number of all; at the beginning all of it."""
    gone = found["host_is_gone"]
    news = sorted((seq, kind) for kind, seq in found["seqs"].items() if seq > after)
    head = news[-1][0] if news else 0
    # Who has just come knows of no host that was lost; and nobody is back at a stream that ends without one.
    back = after and found["status"] == "live"
    told = [(seq, kind) for seq, kind in news if kind != "host" or gone or back]
    return [Event(head if place == len(told) else seq, _event(found, kind)) for place, (seq, kind) in enumerate(told, 1)]


def _event(found: dict[str, Any], kind: str) -> StreamEvent:
    of_host = "host_reconnecting" if found["host_is_gone"] else "host_back"
    return StreamEvent(
        # The view of a role reads an enum as the bare word.
        kind=cast(StreamEventKind, of_host if kind == "host" else kind),
        status=stream_status(found["status"]),
        viewer_count=found["viewers"],
        reactions=[StreamReactionTotal(type=reaction_type(type), count=bigint(total)) for type, total in found["totals"]],
        created_at=timestamptz(found["at"]),
    )


FEED: Final = RoomFeed(
    name="streamEvents",
    topic=lambda stream_id: f"stream:{stream_id}",
    counter=Counter(NEWS, "stream_id", "seq"),
    epoch=EPOCH,
    rights=[Right(STREAMS, {"id": ROOM}, NotFound, Bar("bans", Banned))],
    within={},
    beside=[],
    page=_pages,
    every=EVERY,
    of_state=True,
)


def stream_events(stream_id: Annotated[uuid, strawberry.argument(name="streamId")]) -> AsyncGenerator[StreamEvent, None]:
    """A stream as it is, and then whenever its status, its viewers or its reactions change, or its host is lost or back."""
    return cast(AsyncGenerator[StreamEvent, None], Place(FEED, str(stream_id), after=0))


@camel_type
class Subscription:
    stream_events = room_feed(stream_events, PEOPLE | {"anonymous"})
