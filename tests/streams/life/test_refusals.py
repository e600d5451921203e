"""What every action on a stream refuses alike: strangers, the banned, those who only watch; nothing changes, nobody learns anything."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from domain.errors import ActionError, Banned, NotAllowed, NotFound
from domain.streams.access import access_stream
from domain.streams.actions.start import start_stream
from domain.streams.actions.stop import cancel_stream, stop_stream
from domain.streams.actions.token import refresh_stream_token
from domain.world import World
from permissions.session import Session
from tests.streams.life.staged_stream import StagedStream
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, MALLORY, MOD, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio

ACTIONS: dict[str, Callable[[World, Session, UUID], Awaitable[object]]] = {
    "startStream": start_stream,
    "stopStream": stop_stream,
    "cancelStream": cancel_stream,
    "refreshStreamToken": refresh_stream_token,
}
BAN = "INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) VALUES ($1, $2, $3)"


async def refused(stream: StagedStream, action: str, who: Session, stream_id: UUID | None = None) -> type[ActionError]:
    """The refusal, after a look that no row changed, nobody was told and LiveKit was asked nothing."""
    on = stream.on
    before, _, asked = await dump(on.database), on.publisher.topics(), on.rooms.asked.copy()
    with pytest.raises(ActionError) as refusal:
        await ACTIONS[action](on.world, who, stream_id or stream.id)
    assert await dump(on.database) == before
    assert (on.publisher.topics(), on.rooms.asked) == (set(), asked)
    return refusal.type


@pytest.mark.parametrize("action", ACTIONS)
async def test_strangers_can_not_tell_it_from_none(stream: StagedStream, action: str) -> None:
    assert await refused(stream, action, session(MALLORY)) is NotFound
    assert await refused(stream, action, session(ALICE), uuid4()) is NotFound


@pytest.mark.parametrize("action", ACTIONS)
async def test_the_channel_only_watches(stream: StagedStream, action: str) -> None:
    assert await refused(stream, action, session(BOB)) is NotAllowed
    assert await refused(stream, action, session(MOD, "moderator")) is NotAllowed


@pytest.mark.parametrize("action", ACTIONS)
async def test_the_banned_are_told_so_if_they_would_see_it(stream: StagedStream, action: str) -> None:
    for who in (BOB, MALLORY):
        await stream.on.database.execute(BAN, stream.id, who, ALICE)
    assert await refused(stream, action, session(BOB)) is Banned
    assert await refused(stream, action, session(MALLORY)) is NotFound
    await stream.on.database.execute("UPDATE nchat_stream_bans SET lifted_at = now()")
    assert await refused(stream, action, session(BOB)) is NotAllowed


async def test_an_invitation_shows_a_stream(stream: StagedStream) -> None:
    await stream.on.database.execute("UPDATE nchat_streams SET visibility = 'invite_only' WHERE id = $1", stream.id)
    assert await refused(stream, "stopStream", session(BOB)) is NotFound
    invite = "INSERT INTO nchat_stream_invites (stream_id, user_id, invited_by) VALUES ($1, $2, $3)"
    await stream.on.database.execute(invite, stream.id, BOB, ALICE)
    assert await refused(stream, "stopStream", session(BOB)) is NotAllowed


async def test_who_hosts_and_who_moderates(stream: StagedStream) -> None:
    roles = "UPDATE nchat_channel_members SET role = 'moderator' WHERE channel_id = $1 AND user_id = $2"
    await stream.on.database.execute(roles, GENERAL, CAROL)
    found = {}
    for who in (session(ALICE), session(BOB), session(CAROL), session(MOD, "moderator"), Session("admin")):
        async with stream.on.world.transaction("look") as tx:
            access = await access_stream(tx, stream.on.world, who, stream.id)
        found[who.variables.get("x-hasura-user-id", who.role)] = (access.is_host, access.moderates)
    assert found == {
        str(ALICE): (True, True),
        str(BOB): (False, False),
        str(CAROL): (False, True),
        str(MOD): (False, True),
        "admin": (False, True),
    }


async def test_anonymous_people_see_public_streams(stream: StagedStream) -> None:
    async def seen() -> UUID:
        async with stream.on.world.transaction("look") as tx:
            return (await access_stream(tx, stream.on.world, Session("anonymous"), stream.id)).stream.id

    with pytest.raises(NotFound):
        await seen()
    await stream.on.database.execute("UPDATE nchat_streams SET visibility = 'public' WHERE id = $1", stream.id)
    assert await seen() == stream.id
