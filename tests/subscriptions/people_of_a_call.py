"""Those who follow a call, each beside what their own queries give."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson

from permissions.session import Session
from resolvers.actions.calls.event_feed import EVENTS, PEOPLE
from resolvers.documents.request import Request
from resolvers.engine import Engine
from tests.subscriptions.listening import Listener

FEED: Final = """subscription ($call: uuid!, $after: bigint) {
  callEvents(callId: $call, after: $after) { seq kind actor { id displayName avatarUrl } participantId userId payload createdAt } }"""
MAY_FOLLOW: Final = """query ($call: uuid!) {
  call: nchat_calls_by_pk(id: $call) { id }
  first: nchat_call_events_by_pk(call_id: $call, seq: 1) { seq }
}"""


@dataclass
class Person:
    """What a person has been able to see of the events of a call, by their own queries and nobody else's."""

    engine: Engine
    session: Session
    call_id: UUID
    shown: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    user_ids: dict[str, str] = field(default_factory=dict)
    now: Mapping[int, Any] = field(default_factory=dict)
    may_follow: bool = True

    async def ask(self, query: str, variables: Mapping[str, Any]) -> Any:
        """The data of a request of their own; None when it is refused."""
        return orjson.loads((await self.engine.execute(Request(query, variables), self.session)).body).get("data")

    async def live(self, query: str) -> list[Any]:
        """The value of the one root field; nothing when it is refused."""
        return list((await self.ask(f"query ($call: uuid!) {{ {query} }}", {"call": str(self.call_id)}) or {}).values())

    async def look(self) -> None:
        """What they see now is added to what they saw before: an event is told as it was when it was told first."""
        call = {"call": str(self.call_id)}
        page = await self.ask(EVENTS, {**call, "after": -1, "page": 1000})
        about = [row["payload"].get("participantId") for row in page["page"]] if page else []
        people = await self.ask(PEOPLE, {"ids": [one for one in about if one is not None]})
        self.user_ids |= {row["id"]: row["user_id"] for row in (people or {"people": []})["people"]}
        self.now = {row["seq"]: row for row in page["page"]} if page and people else {}
        for seq, row in self.now.items():
            self.shown[seq].add(text(row))
        rights = await self.ask(MAY_FOLLOW, call)
        self.may_follow = rights is not None and None not in rights.values()

    def check(self, told: Mapping[str, Any]) -> None:
        """That nothing is in this event that they could not read themselves."""
        actor = told["actor"] and dict(zip(("id", "display_name", "avatar_url"), told["actor"].values(), strict=True))
        row = {"seq": told["seq"], "kind": told["kind"], "payload": told["payload"], "created_at": told["createdAt"], "actor": actor}
        assert text(row) in self.shown[told["seq"]], (self.session, told, self.shown[told["seq"]])
        assert told["participantId"] == told["payload"].get("participantId")
        assert told["userId"] in (None, self.user_ids.get(told["participantId"])), (self.session, told)


def is_failure(frame: Any) -> bool:
    return isinstance(frame, dict) and "errors" in frame


def text(row: Any) -> str:
    return json.dumps(row, sort_keys=True)


@dataclass
class FollowsEvents:
    """`checked` frames have been looked at."""

    person: Person
    listener: Listener
    after: int
    checked: int = 0
    is_over: bool = False

    async def has_settled(self) -> bool:
        """Whether everything that it may have has come: until then the test waits."""
        if not self.person.may_follow:
            return self.listener.refused is not None
        seen = {frame["seq"] for frame in self.listener.got}
        missing = [seq for seq in self.person.now if seq > max(seen, default=self.after)]
        return self.listener.refused is not None or not missing

    async def check(self) -> None:
        for frame in self.listener.got[self.checked :]:
            self.person.check(frame)
        self.checked = len(self.listener.got)
        seqs = [frame["seq"] for frame in self.listener.got]
        assert seqs == sorted(set(seqs))
        if self.listener.refused is not None and not self.is_over:
            self.is_over = True
            self._was_right_to_end(self.listener.refused.code)

    def _was_right_to_end(self, code: str) -> None:
        match code:
            case "not-found" | "participant-kicked":
                assert not self.person.may_follow
            case _:
                assert not self.person.now, code


@dataclass
class FollowsTables:
    """A live query; `newest` is what its own query gave the last time."""

    person: Person
    listener: Listener
    query: str
    newest: Sequence[Any] = ()
    checked: int = 0

    async def has_settled(self) -> bool:
        answer, last = await self.person.live(self.query), self.listener.got[-1:]
        # What is refused at the start is over; what fails for what the token holds may go better later, and is told.
        return last == answer if answer else self.listener.refused is not None or (bool(last) and is_failure(last[0]))

    async def check(self) -> None:
        """One write lies between this look and the last: no answer is another than that before it or that after it."""
        answer = await self.person.live(self.query)
        for frame in self.listener.got[self.checked :]:
            failed = is_failure(frame) and not (self.newest and answer)
            assert failed or frame in (*self.newest, *answer), (self.person.session, self.query, frame)
        self.newest, self.checked = answer, len(self.listener.got)
