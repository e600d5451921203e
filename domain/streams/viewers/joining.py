"""A viewer begins to watch."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.access import known_user
from domain.errors import MediaUnavailable, StreamNotLive
from domain.input_checks import require_text
from domain.ports import Grant, JoinToken, MediaError
from domain.streams.access import access_stream
from domain.streams.opening import EMPTY_TIMEOUT, NO_LIMIT
from domain.streams.rows import Stream
from domain.streams.viewers.entering import MAY_BE_INSIDE
from domain.streams.viewers.rows import hashed, identity, person_of
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.stream_viewers import stream_viewers as viewers

LONGEST_DEVICE_TYPE: Final = 50
# Bytes of a session's id: nobody guesses one.
SECRET_BYTES: Final = 24
# As the column of the stream's row says it, for whoever asks.
PLAYBACK_URL: Final = sa.text("""
    SELECT nchat_streams_playback_url(stream, CAST(:session AS json)) FROM nchat_streams AS stream WHERE id = :id
""")
# A viewer is no person of the room: nobody sees that one is there, and nothing is heard of one.
WATCHES_ONLY: Final = Grant(sources=(), subscribe=True, data=False, hidden=True)


@dataclass(frozen=True, slots=True)
class ViewerTicket:
    """A viewer's way into the stream's room: `token` lets one session in until `expires_at`."""

    token: str
    server_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """`session_id` is the viewer's alone, and told this once; `playback_url` is None while there is nothing to play.

    `ticket` is None where WebRTC was not asked for.
    """

    stream_id: UUID
    viewer_id: UUID
    session_id: str
    playback_url: str | None
    ticket: ViewerTicket | None


async def join_stream(
    world: World, session: Session, stream_id: UUID, device_type: str | None = None, *, webrtc: bool = False, principal: str = ""
) -> Joined:
    """A new session of the caller, who needs no name where the stream is public. Each join is one: two tabs are two viewers.

    `principal` is whose share of the service it comes from: an address where no person is named. Refuses with RateLimited, InvalidInput,
    NotFound, Banned, StreamNotLive, MediaUnavailable.
    """
    person = person_of(session)
    await (world.limiter.hit("anonymous_join", principal) if person is None else world.limiter.hit("token", str(person)))
    if device_type is not None:
        require_text("deviceType", device_type, LONGEST_DEVICE_TYPE)
    session_id = secrets.token_urlsafe(SECRET_BYTES)
    async with world.transaction("join_stream.write") as tx:
        access = await access_stream(tx, world, session, stream_id)
        if person is not None:
            await known_user(tx, session)
        if not access.stream.live:
            raise StreamNotLive
        viewer_id = await _write(tx, stream_id, access.now, hashed(session_id), session, device_type, webrtc=webrtc)
        playback_url = await _playback_url(tx, session, stream_id)
        return Joined(stream_id, viewer_id, session_id, playback_url, _ticket(world, access.stream, viewer_id) if webrtc else None)


async def _write(
    tx: Transaction, stream_id: UUID, now: datetime, hash_of_id: str, session: Session, device_type: str | None, *, webrtc: bool
) -> UUID:
    row = sa.insert(viewers).values(
        stream_id=stream_id,
        user_id=person_of(session),
        role=session.role,
        session_id=hash_of_id,
        device_type=device_type,
        webrtc=webrtc,
        joined_at=now,
        seen_at=now,
    )
    viewer_id: UUID = (await tx.connection.execute(row.returning(viewers.c.id))).scalar_one()
    return viewer_id


async def _playback_url(tx: Transaction, session: Session, stream_id: UUID) -> str | None:
    url: str | None = (await tx.connection.execute(PLAYBACK_URL, {"id": stream_id, "session": session.as_argument()})).scalar_one()
    return url


async def ticket_again(tx: Transaction, world: World, stream: Stream, user_id: UUID) -> ViewerTicket | None:
    """A fresh ticket for the person's session that watches by WebRTC, the latest of several; None for who has none.

    Raises MediaUnavailable.
    """
    theirs = sa.select(viewers.c.id).where(viewers.c.stream_id == stream.id, viewers.c.user_id == user_id, MAY_BE_INSIDE)
    viewer_id = await tx.connection.scalar(theirs.order_by(viewers.c.joined_at.desc(), viewers.c.id).limit(1))
    return None if viewer_id is None else _ticket(world, stream, viewer_id)


def _ticket(world: World, stream: Stream, viewer_id: UUID) -> ViewerTicket:
    signed = sign(world, stream, viewer_id)
    return ViewerTicket(signed.token, world.server_url, signed.expires_at)


def sign(world: World, stream: Stream, viewer_id: UUID) -> JoinToken:
    """A token for a session in the stream's room, which is its call's for a broadcast.

    Signs locally; raises MediaUnavailable where the deployment has no media server.
    """
    is_own = stream.call_id is None
    try:
        return world.tokens.sign(
            room=stream.room_name,
            identity=identity(viewer_id),
            name="",
            grant=WATCHES_ONLY,
            max_participants=NO_LIMIT if is_own else world.limits.max_participants,
            empty_timeout=EMPTY_TIMEOUT if is_own else None,
        )
    except MediaError as error:
        raise MediaUnavailable from error
