"""Streams that go on by themselves: live when there is media, ended when it is stored, given up when one of them never comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.repairs import Repair
from domain.ports import CallLimits
from domain.streams import due
from domain.streams.ending import cancel
from domain.streams.rows import Stream
from domain.timeouts.due import Timeout
from domain.webhooks.streams.in_hand import StreamInHand, take_streams
from domain.world import Transaction, World


@dataclass(frozen=True, slots=True)
class StreamCase:
    """One stream under lock that is due. `now` is the moment of the decision."""

    tx: Transaction
    stream: Stream
    now: datetime


def _are_there(world: World) -> bool:
    """Streams begin where there is a recorder."""
    return world.recorder is not None


def _case(tx: Transaction, held: StreamInHand, now: datetime, _limits: CallLimits) -> StreamCase:
    return StreamCase(tx, held.stream, now)


def _running(now: datetime, _limits: CallLimits) -> sa.Select[UUID]:
    return due.running_due(now)


async def _follow(found: StreamCase) -> Sequence[Repair] | None:
    return await due.take_step(found.tx, found.stream, now=found.now)


def _planned(now: datetime, _limits: CallLimits) -> sa.Select[UUID]:
    return due.planned_due(now)


async def _cancel(found: StreamCase) -> Sequence[Repair] | None:
    return [] if await cancel(found.tx, found.stream, now=found.now, failure="never_started") else None


# starting → live when the playlist is in the store, cancelled after 300 s; live → ending without a host for 60 s, media or call;
# ending → ended when all is stored, or after 60 s.
FOLLOWED: Final[Timeout[StreamCase]] = Timeout("stream", _running, _follow, every=0.5, matters=_are_there, take=take_streams, case=_case)
# scheduled for 24 h past its time → cancelled.
NEVER_STARTED: Final[Timeout[StreamCase]] = Timeout(
    "stream_start", _planned, _cancel, every=5.0, matters=_are_there, take=take_streams, case=_case
)
