"""The actions on audiences as clients meet them, each role with its own view of the rows."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from permissions.session import Session
from resolvers.documents.request import Request
from tests.media.test_links import session as links_for
from tests.playback.broadcast import broadcast
from tests.streams.audience.live_streams import ANYBODY, Counts, live, tallies
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, MOD, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio

JOIN = """mutation ($stream: uuid!, $webrtc: Boolean) { joinStream(input: {streamId: $stream, deviceType: "tv", webrtc: $webrtc}) {
  streamId sessionId playbackUrl token serverUrl expiresAt stream { id title } } }"""
PLAYS = "mutation ($stream: uuid!) { joinStream(input: {streamId: $stream}) { playbackUrl stream { playback_url } } }"
BEAT = "mutation ($id: String!) { heartbeatStream(input: {sessionId: $id}) { streamId viewerId stream { status } } }"
LEAVE = "mutation ($id: String!) { leaveStream(input: {sessionId: $id}) { streamId viewerId } }"
REACT = "mutation ($stream: uuid!, $type: reaction_type!) { reactToStream(input: {streamId: $stream, type: $type}) { stream { title } } }"
VIEWERS = """query ($stream: uuid!) { streamViewers(input: {streamId: $stream}) {
  total authenticated anonymous viewers { user_id device_type } } }"""
INVITE = """mutation ($stream: uuid!, $people: [uuid!]!) {
  %s(input: {streamId: $stream, userIds: $people}) { streamId userIds users { username } } }"""


async def joins(client: Api, who: Session, stream_id: UUID, *, webrtc: bool = False) -> Any:
    return (await client.data(who, JOIN, {"stream": str(stream_id), "webrtc": webrtc}))["joinStream"]


@pytest.mark.parametrize("who", [ANYBODY, session(BOB), session(MOD, "moderator"), Session("admin")], ids=lambda who: who.role)
async def test_watching_from_the_join_to_the_end(client: Api, on: Setup, who: Session) -> None:
    stream_id = await live(on)
    joined = await joins(client, who, stream_id)
    assert joined["stream"] == {"id": str(stream_id), "title": "a stream"}
    assert [joined[name] for name in ("token", "serverUrl", "expiresAt")] == [None] * 3
    for document, name in ((BEAT, "heartbeatStream"), (LEAVE, "leaveStream"), (LEAVE, "leaveStream")):
        answer = (await client.data(who, document, {"id": joined["sessionId"]}))[name]
        assert (answer["streamId"], len(answer["viewerId"])) == (str(stream_id), 36)
    assert await tallies(on, stream_id) == Counts(0, 1, 1)
    assert joined["sessionId"] not in orjson.dumps(await dump(on.database)).decode()


async def test_a_way_into_the_room(client: Api, on: Setup) -> None:
    joined = await joins(client, ANYBODY, await live(on), webrtc=True)
    assert joined["token"].startswith("stream_")
    assert joined["serverUrl"] == "ws://livekit.example"
    assert joined["expiresAt"] > on.clock.now().isoformat()


async def test_an_address_is_counted_where_no_person_is(client: Api, on: Setup) -> None:
    stream_id = str(await live(on))
    for who, principal in ((ANYBODY, "address 192.0.2.7"), (session(BOB), f"user {BOB}")):
        await client.engine.execute(Request(JOIN, {"stream": stream_id}, principal=principal), who, on.world)
    assert on.limiter.hits == [("anonymous_join", "address 192.0.2.7"), ("token", str(BOB))]
    on.limiter.used_up.add("anonymous_join")
    assert (await client.refusal(ANYBODY, JOIN, {"stream": stream_id}))[0] == "rate-limited"


async def test_the_host_sees_who_watches_and_reactions_are_counted(client: Api, on: Setup) -> None:
    stream_id = await live(on)
    await joins(client, session(BOB), stream_id)
    await joins(client, ANYBODY, stream_id)
    seen = (await client.data(session(ALICE), VIEWERS, {"stream": str(stream_id)}))["streamViewers"]
    assert [seen[name] for name in ("total", "authenticated", "anonymous")] == [2, 1, 1]
    assert {row["user_id"] for row in seen["viewers"]} == {str(BOB), None}
    reacted = await client.data(session(BOB), REACT, {"stream": str(stream_id), "type": "fire"})
    assert reacted == {"reactToStream": {"stream": {"title": "a stream"}}}
    code, _, message = await client.refusal(session(BOB), REACT, {"stream": str(stream_id), "type": "party"})
    assert (code, "type is one of" in message) == ("invalid-input", True)


async def test_who_is_invited_sees_it(client: Api, on: Setup) -> None:
    stream_id = await live(on, "invite_only")
    given = {"stream": str(stream_id), "people": [str(MALLORY)]}
    answer = (await client.data(session(ALICE), INVITE % "inviteToStream", given))["inviteToStream"]
    assert answer == {"streamId": str(stream_id), "userIds": [str(MALLORY)], "users": [{"username": "mallory"}]}
    joined = await joins(client, session(MALLORY), stream_id)
    await client.data(session(ALICE), INVITE % "uninviteFromStream", given)
    assert (await client.refusal(session(MALLORY), BEAT, {"id": joined["sessionId"]}))[0] == "not-found"
    assert (await client.refusal(session(MALLORY), JOIN, {"stream": str(stream_id)}))[0] == "not-found"


async def test_what_is_not_offered(client: Api, on: Setup) -> None:
    """Without a name nobody reacts, and nobody is a host."""
    stream_id = str(await live(on))
    before = await dump(on.database)
    for document, variables in ((REACT, {"type": "like"}), (VIEWERS, {}), (INVITE % "inviteToStream", {"people": [str(BOB)]})):
        assert (await client.refusal(ANYBODY, document, {"stream": stream_id, **variables}))[0] == "validation-failed"
    for who in (session(BOB), session(CAROL), session(MOD, "moderator")):
        assert (await client.refusal(who, VIEWERS, {"stream": stream_id}))[0] == "not-allowed"
        assert (await client.refusal(who, INVITE % "inviteToStream", {"stream": stream_id, "people": [str(BOB)]}))[0] == "not-allowed"
    assert await dump(on.database) == before


@pytest.mark.parametrize("role", ["anonymous", "user"])
async def test_where_it_plays(client: Api, on: Setup, role: str) -> None:
    """As the column of the stream says it, for whoever asks; null while there is nothing to play."""
    plays = await broadcast(on, on.store, visibility="public")
    who = links_for(role, str(BOB) if role == "user" else None)
    assert (await joins(client, who, plays.stream))["playbackUrl"] is None
    await plays.part(0, 2)
    joined = (await client.data(who, PLAYS, {"stream": str(plays.stream)}))["joinStream"]
    assert joined["playbackUrl"] == joined["stream"]["playback_url"]
    assert joined["playbackUrl"].startswith(f"https://nchat.example/media/stream/{plays.stream}/")
    assert (await joins(client, ANYBODY, plays.stream))["playbackUrl"] is None, "a deployment without links"
