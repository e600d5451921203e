"""A webhook about an egress, applied to its part inside the transaction that holds the call or the stream of its room."""

from datetime import datetime
from typing import Final, cast

from domain.recording_ports import EgressStatus
from domain.recordings.held import hold, part_of_egress
from domain.recordings.recorder.egress_news import News, hear, left_room
from domain.recordings.settling import settle
from domain.world import Transaction

STATUS_PREFIX: Final = "egress_"


async def egress_told(tx: Transaction, egress_id: str, status: str, error_code: int, now: datetime) -> None:
    """`status` is LiveKit's name of one, `egress_active`. An egress that is nobody's part changes nothing."""
    news = News(cast(EgressStatus, status.removeprefix(STATUS_PREFIX)), error_code)
    part = await part_of_egress(tx, egress_id)
    held = None if part is None else await hold(tx, part.recording_id)
    # Read again under the lock.
    part = await part_of_egress(tx, egress_id)
    if held is not None and part is not None and await hear(tx, part, news, now=now, over=held.source.over):
        await settle(tx, held, now=now)


async def egress_left(tx: Transaction, egress_id: str, now: datetime) -> None:
    """Its participant is out of the room."""
    part = await part_of_egress(tx, egress_id)
    held = None if part is None else await hold(tx, part.recording_id)
    part = await part_of_egress(tx, egress_id)
    if held is not None and part is not None and await left_room(tx, part, now=now, over=held.source.over):
        await settle(tx, held, now=now)
