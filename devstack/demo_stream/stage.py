"""Who takes part, and what all parts of the story do: ask in somebody's name, wait, and insist."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import uuid4

from devstack.demo.service import DemoService
from devstack.demo.story import mutation
from devstack.demo_stream.audience import Audience
from devstack.demo_stream.cinema import Screen
from devstack.demo_stream.encoder import Encoder
from devstack.demo_stream.following import Following
from devstack.demo_stream.platform import Platform

T = TypeVar("T")
NOBODY: Final = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A demo user who asks by a token."""

    name: str
    id: str
    token: str


@dataclass(slots=True)
class Live:
    """The stream that was started: its encoder, what everybody is told of it, who watches."""

    id: str
    encoder: Encoder
    events: Following
    audience: Audience

    async def end(self) -> None:
        """Whatever came of it, nothing of it goes on."""
        await self.encoder.stop()
        await self.events.stop()
        await self.audience.stop()


@dataclass(slots=True)
class Stage:
    """`screen` shows the stream, `other_screen` what is seen beside it; `platforms` take what is sent on.

    `marked` are messages that were sent when the encoder changed to a colour, by the colour.
    """

    service: DemoService
    people: Mapping[str, Person]
    screen: Screen
    other_screen: Screen
    platforms: tuple[Platform, Platform]
    marked: dict[str, str] = field(default_factory=dict)

    async def act(self, who: str, action: str, selection: str, **given: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.service.ask(self.people[who].token, mutation(action, selection), input=given))[action]
        return answer

    async def write(self, who: str, live: Live, words: str) -> str:
        """Says something in the chat; the message's id."""
        sent = await self.act(who, "sendStreamChat", "messageId", streamId=live.id, content=words, clientMessageId=str(uuid4()))
        return str(sent["messageId"])

    async def write_at_change(self, who: str, live: Live, colour: str) -> None:
        """Says so in the moment when the encoder changes to a colour that it never had."""
        await live.encoder.show(colour)
        self.marked[colour] = await self.write(who, live, f"It is {colour} now")


async def within(waiting: Awaitable[T], seconds: float, what: str) -> T:
    """The result, or an error that says what did not happen."""
    try:
        async with asyncio.timeout(seconds):
            return await waiting
    except TimeoutError:
        raise AssertionError(f"waited {seconds:.0f} s for {what}") from None


def require(so: bool, otherwise: str) -> None:
    if not so:
        raise AssertionError(otherwise)


def tell(words: str) -> None:
    """A detail below the sentence that says what happens."""
    print(f"         {words}", flush=True)
