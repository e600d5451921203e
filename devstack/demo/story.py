"""The call that `make demo` plays: every step waits for what it must cause, and the order of events is checked at the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from livekit import rtc

from devstack.demo.feed import Feed
from devstack.demo.person import DemoPerson
from devstack.demo.service import DemoService, Refused

T = TypeVar("T")

PATIENCE = 20.0

SEAT = "callId token serverUrl"
INITIATE = """mutation ($input: InitiateCallInput!) { initiateCall(input: $input) {
  callId token serverUrl call { call_participants { id user { username } } } } }"""
INVITE = "mutation ($input: InviteToCallInput!) { inviteToCall(input: $input) { call { call_participants { id user { username } } } } }"
INCOMING = "subscription { incomingCalls { kind callId type caller { displayName } } }"


def mutation(action: str, selection: str) -> str:
    """The document of one call action."""
    return f"mutation ($input: {action[0].upper()}{action[1:]}Input!) {{ {action}(input: $input) {{ {selection} }} }}"


class Story:
    """Alice calls Bob; Carol comes later, is removed and let in again."""

    def __init__(self, service: DemoService, alice: DemoPerson, bob: DemoPerson, carol: DemoPerson) -> None:
        self.service, self.alice, self.bob, self.carol = service, alice, bob, carol
        self.seats: dict[str, str] = {}
        self.call_id = ""

    async def act(self, who: DemoPerson, action: str, selection: str = "callId", **given: Any) -> dict[str, Any]:
        data = await self.service.ask(who.token, mutation(action, selection), input={"callId": self.call_id, **given})
        payload: dict[str, Any] = data[action]
        return payload

    async def play(self) -> Feed:
        """Plays it all; returns the feed with every event. Raises on anything that does not happen."""
        feed = await self.alice_calls_bob()
        await self.they_hear_each_other()
        await self.bob_is_muted(feed)
        await self.bob_shares_his_screen(feed)
        await self.carol_comes_and_is_removed(feed)
        await self.carol_comes_back(feed)
        await self.alice_ends_it(feed)
        return feed

    async def alice_calls_bob(self) -> Feed:
        say("Alice calls Bob; Bob's phone rings")
        async with self.service.subscribe(self.bob.token, INCOMING) as rings:
            wanted = {"targetUserIds": [await self._id_of("bob")], "type": "audio"}
            started = (await self.service.ask(self.alice.token, INITIATE, input=wanted))["initiateCall"]
            self.call_id = started["callId"]
            self._remember_seats(started["call"])
            await soon(self._rings(rings.__aiter__()), "Bob's phone to ring")
        feed = Feed(self.service, self.alice.token, self.call_id)
        await soon(feed.until("call_incoming"), "the ring's event")
        say("Bob accepts, both enter the room")
        await self.alice.enter(started)
        await self.bob.enter(await self.act(self.bob, "acceptCall", SEAT))
        await soon(feed.until("call_state_changed", lambda e: e["payload"]["to"] == "connected"), "the call to be connected")
        return feed

    async def _rings(self, events: AsyncIterator[dict[str, Any]]) -> None:
        async for data in events:
            ring = data["incomingCalls"]
            if ring["callId"] == self.call_id and ring["kind"] == "incoming":
                return

    async def they_hear_each_other(self) -> None:
        say(f"Both sing ({self.alice.hertz:.0f} and {self.bob.hertz:.0f} Hz) and listen for the other's tone")
        await self.alice.sing()
        await self.bob.sing()
        await soon(asyncio.gather(self.alice.hear(self.bob), self.bob.hear(self.alice)), "both to hear each other")
        print("         heard, both ways", flush=True)

    async def bob_is_muted(self, feed: Feed) -> None:
        say("Alice mutes Bob; Bob unmutes himself")
        since = feed.last
        await self.act(self.alice, "muteParticipant", participantId=self.seats["bob"], trackType="audio")
        await soon(feed.until("call_mute_changed", muted(self.seats["bob"], True), since=since), "Bob to be muted")
        since = feed.last
        await self.act(self.bob, "setMuted", trackType="audio", muted=False)
        await soon(feed.until("call_mute_changed", muted(self.seats["bob"], False), since=since), "Bob to be unmuted")

    async def bob_shares_his_screen(self, feed: Feed) -> None:
        say("Bob shares his screen, and stops")
        await self.act(self.bob, "startScreenShare", shareType="screen", withAudio=False)
        await self.bob.show_screen()
        await soon(feed.until("call_screen_share_started"), "the screen")
        await self.bob.hide_screen()
        await self.act(self.bob, "stopScreenShare")
        await soon(feed.until("call_screen_share_stopped"), "the screen to go")

    async def carol_comes_and_is_removed(self, feed: Feed) -> None:
        say("Carol is invited, joins, and is removed")
        invited = await self.service.ask(self.alice.token, INVITE, input={"callId": self.call_id, "userIds": [await self._id_of("carol")]})
        self._remember_seats(invited["inviteToCall"]["call"])
        seat = await self.act(self.carol, "acceptCall", SEAT)
        await self.carol.enter(seat)
        await soon(feed.until("call_participant_joined", of(self.seats["carol"])), "Carol to join")
        await self.act(self.alice, "kickParticipant", participantId=self.seats["carol"])
        await soon(self.carol.removed.wait(), "Carol to be removed from the room")
        await soon(feed.until("kicked"), "the kick's event")
        async with refused("participant-kicked"):
            await self.act(self.carol, "joinCall", SEAT)
        await self._old_token_does_not_stay(seat)

    async def _old_token_does_not_stay(self, seat: dict[str, Any]) -> None:
        """The door lets nobody in with it; beside a LiveKit without a door the service throws her out again within 2 s."""
        try:
            await self.carol.enter(seat)
        except rtc.ConnectError:
            print("         her old token opened nothing", flush=True)
            return
        async with asyncio.timeout(5):
            await self.carol.removed.wait()
        print("         her old token was removed again", flush=True)

    async def carol_comes_back(self, feed: Feed) -> None:
        say("Carol is let in again")
        since = feed.last
        await self.act(self.alice, "readmitParticipant", participantId=self.seats["carol"])
        await self.carol.enter(await self.act(self.carol, "joinCall", SEAT))
        await soon(feed.until("call_participant_joined", of(self.seats["carol"]), since=since), "Carol to join again")

    async def alice_ends_it(self, feed: Feed) -> None:
        say("Alice ends the call for everyone")
        await self.act(self.alice, "endCall")
        await soon(feed.until("call_state_changed", lambda e: e["payload"]["to"] == "ended"), "the end")
        await soon(feed.until("call_end"), "the end's event")
        await soon(asyncio.gather(*(p.removed.wait() for p in (self.alice, self.bob, self.carol))), "the room to close")

    async def _id_of(self, username: str) -> str:
        found = await self.service.ask(
            self.alice.token, "query ($n: String!) { nchat_users(where: {username: {_eq: $n}}) { id } }", n=username
        )
        return str(found["nchat_users"][0]["id"])

    def _remember_seats(self, call: dict[str, Any]) -> None:
        self.seats |= {row["user"]["username"]: row["id"] for row in call["call_participants"]}


def say(sentence: str) -> None:
    print(f"\n  {sentence}", flush=True)


def of(participant_id: str) -> Any:
    return lambda event: event["participantId"] == participant_id


def muted(participant_id: str, state: bool) -> Any:
    return lambda event: event["participantId"] == participant_id and event["payload"].get("muted") is state


async def soon(waiting: Awaitable[T], what: str) -> T:
    """The result, or an error that says what did not happen."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await waiting
    except TimeoutError:
        raise AssertionError(f"waited {PATIENCE:.0f} s for {what}") from None


@asynccontextmanager
async def refused(code: str) -> AsyncIterator[None]:
    try:
        yield
    except Refused as error:
        if error.code == code:
            return
        raise
    raise AssertionError(f"the service did not refuse with {code}")
