"""Who is really in the room: what an arrival and a lost connection change, however they were noticed."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from domain.calls import events
from domain.calls.life_cycle import CallStep, move_call, move_participant
from domain.calls.rows import Call, Participant, roster
from domain.calls.tracks import NOTHING_SENT, see
from domain.world import Transaction
from schema.tables.call_participants import call_participants
from schema.tables.webhook_events import PARTICIPANT_SID, webhook_events

# With two people ACTIVE there is a conversation.
CONVERSATION: Final = 2


async def arrive(tx: Transaction, call: Call, who: Participant, sid: str, *, now: datetime) -> None:
    """The person of a held seat is ACTIVE in the room under this connection (lock held); may connect the call.

    A newer connection of someone who was in already only moves the call there: a second device, or a full reconnect.
    """
    if who.participant_sid == sid and who.status == "connected":
        return
    if who.status == "connected":
        await see(tx, who, NOTHING_SENT)
        await tx.connection.execute(
            sa.update(call_participants).where(call_participants.c.id == who.id).values(participant_sid=sid, rejoining_since=None)
        )
        events.changed(tx, call.id)
        return
    if await move_participant(tx, who.id, "connected", now=now, participant_sid=sid) is not None:
        await events.append(tx, call.id, "call_participant_joined", who.user_id, {}, who.id)
        await settle(tx, call, now=now)


async def drop(tx: Transaction, call: Call, who: Participant, reason: str, *, now: datetime) -> None:
    """`lose`, and what it means for the call: it may go to `reconnecting` (lock held, `call.status` current)."""
    if await lose(tx, call, who, reason, now=now):
        await settle(tx, call, now=now)


async def lose(tx: Transaction, call: Call, who: Participant, reason: str, *, now: datetime) -> bool:
    """connected → disconnected: the connection is gone and may come back. False for one who was not connected."""
    if await move_participant(tx, who.id, "disconnected", now=now) is None:
        return False
    await events.append(tx, call.id, "call_participant_disconnected", None, {"reason": reason}, who.id)
    await see(tx, who, NOTHING_SENT)
    return True


async def settle(tx: Transaction, call: Call, *, now: datetime) -> bool:
    """Brings the call's status in line with who is connected and who is lost (lock held, `call.status` current)."""
    step = step_of(call, [one.status for one in (await roster(tx, call.id)).seated])
    return step is not None and await move_call(tx, call.id, step, actor_id=None, now=now)


def step_of(call: Call, seats: list[str]) -> CallStep | None:
    """The step that the states of the seated people ask of a call, if any.

    A call reconnects when fewer than two are left by a lost connection, and is back when two are, or when nobody is
    missing any more: whoever stays alone in a channel's call waits for others, not for a connection.
    """
    active, lost = seats.count("connected"), seats.count("disconnected")
    if call.status == "connecting" and active >= CONVERSATION:
        return CallStep("connecting", "connected")
    if call.status == "reconnecting" and (active >= CONVERSATION or (active and not lost)):
        return CallStep("reconnecting", "connected")
    if call.status == "connected" and active < CONVERSATION and lost:
        return CallStep("connected", "reconnecting")
    return None


async def is_over(tx: Transaction, sid: str) -> bool:
    """Whether LiveKit already told us that this connection ended: its `joined` may come after its `left`."""
    told = sa.select(webhook_events.c.id).where(
        sa.literal_column(PARTICIPANT_SID) == sid,
        webhook_events.c.event.in_(("participant_left", "participant_connection_aborted")),
    )
    return bool((await tx.connection.execute(sa.select(told.exists()))).scalar_one())
