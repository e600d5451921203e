"""Sharing a screen: the right to publish it is given on request and taken back afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa

from domain.calls import events
from domain.calls.access import CallAccess, access_call
from domain.calls.actions.results import ParticipantResult
from domain.calls.grants import grant_for
from domain.calls.rows import Call, Participant
from domain.errors import AlreadySharing, MediaUnavailable, NotAllowed
from domain.ports import MediaError, TrackSource
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.call_participants import call_participants

ShareType = Literal["screen", "window", "tab"]
# Asked for and never published: the right to share goes to who asks next.
RESERVED_FOR: Final = timedelta(seconds=30)
# The browser's names for what a person may pick (Screen Capture, displaySurface).
SURFACES: Final[Mapping[ShareType, str]] = {"screen": "monitor", "window": "window", "tab": "browser"}


@dataclass(frozen=True, slots=True)
class ScreenShareResult:
    """`constraints` go into the browser's getDisplayMedia; `allowed_sources` are what LiveKit lets the person publish now."""

    call_id: UUID
    participant_id: UUID
    constraints: Mapping[str, object]
    allowed_sources: tuple[TrackSource, ...]


async def start_screen_share(
    world: World, session: Session, call_id: UUID, share_type: ShareType = "screen", with_audio: bool = False
) -> ScreenShareResult:
    """Lets the caller publish a screen; that it is shared is told when its track arrives.

    Refuses with NotAllowed (not in the call, a viewer), AlreadySharing, MediaUnavailable (the right is taken back then).
    """
    async with world.transaction("start_screen_share.write") as tx:
        access = await access_call(tx, world, session, call_id)
        me = _sharer(access)
        idle = [one for one in access.roster.seated if _idle(one) and one.id != me.id] if access.call.single_sharer else []
        await _mark(tx, me, access.now)
        for one in idle:
            await _mark(tx, one, None)
    screen: tuple[TrackSource, ...] = ("screen_share", "screen_share_audio") if with_audio else ("screen_share",)
    grant = grant_for(access.call, me, screen=screen)
    try:
        for one in idle:
            await _revoke(world, access.call, one)
        await world.rooms.set_grant(access.call.room_name, me.identity, grant)
    except MediaError as error:
        async with world.transaction("start_screen_share.undo") as tx:
            await _mark(tx, me, None)
        raise MediaUnavailable from error
    return ScreenShareResult(call_id, me.id, _constraints(share_type, with_audio), grant.sources)


async def stop_screen_share(world: World, session: Session, call_id: UUID) -> ParticipantResult:
    """Takes the right back; LiveKit unpublishes the screen's tracks. Stopping what was never shared changes nothing."""
    async with world.transaction("stop_screen_share.write") as tx:
        access = await access_call(tx, world, session, call_id)
        me = access.seated()
        await _mark(tx, me, None)
    try:
        await _revoke(world, access.call, me)
    except MediaError as error:
        raise MediaUnavailable from error
    return ParticipantResult(call_id, me.id)


async def _revoke(world: World, call: Call, who: Participant) -> None:
    bare = replace(who, is_screen_sharing=False, screen_share_asked_at=None)
    await world.rooms.set_grant(call.room_name, who.identity, grant_for(call, bare))


def _idle(one: Participant) -> bool:
    """May share a screen and doesn't."""
    return one.screen_share_asked_at is not None and not one.is_screen_sharing


def _sharer(access: CallAccess) -> Participant:
    me = access.seated()
    if me.role == "viewer":
        raise NotAllowed("A viewer can't share a screen.")
    fresh = access.now - RESERVED_FOR
    others = [one for one in access.roster.seated if one.id != me.id]
    if access.call.single_sharer and any(
        one.is_screen_sharing or (one.screen_share_asked_at is not None and one.screen_share_asked_at > fresh) for one in others
    ):
        raise AlreadySharing
    return me


async def _mark(tx: Transaction, who: Participant, since: datetime | None) -> None:
    """Under the call's lock: of two who ask at once, the second finds the first one's mark."""
    row = sa.update(call_participants).where(call_participants.c.id == who.id)
    await tx.connection.execute(row.values(screen_share_asked_at=since))
    events.changed(tx, who.call_id)


def _constraints(share_type: ShareType, with_audio: bool) -> dict[str, object]:
    return {"video": {"displaySurface": SURFACES[share_type], "frameRate": {"max": 30}}, "audio": with_audio}
