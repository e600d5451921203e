"""Everybody who follows something while the database is restored, and who comes back with what they have from before."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from devstack.demo_data import USER_IDS
from tests.restores.ears import Ear
from tests.support.whole_service import bearer

FOLLOW = """subscription ($call: uuid!, $after: bigint, $epoch: String) {
  callEvents(callId: $call, after: $after, epoch: $epoch) { seq epoch } }"""
STREAM = """subscription ($call: uuid!) {
  nchat_call_events_stream(batch_size: 100, cursor: {initial_value: {seq: 0}}, where: {call_id: {_eq: $call}}) { seq } }"""
NEWEST = "subscription ($call: uuid!) { nchat_call_events(where: {call_id: {_eq: $call}}, order_by: {seq: desc}, limit: 1) { seq } }"
RINGS = "subscription { incomingCalls { kind callId } }"
PEOPLE = ("alice", "bob", "carol", "dave")
# More than fifty in one room: it is hot, and its events are collected.
CROWD = 60
# Of each other subscription.
SCREENS = 4
# The last event of each call.
Heads = Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class Calls:
    """`busy` has events since the backup, `quiet` has none, `later` is a call that the backup knows nothing of."""

    busy: UUID
    quiet: UUID
    later: UUID


class Audience:
    """`following` and `streaming` have to be told; `looking` and `ringing` see what is there now."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        crowd = [follows(who, calls.busy) for who in PEOPLE * (CROWD // len(PEOPLE))]
        self.following = crowd + [follows(who, call) for call in (calls.quiet, calls.later) for who in PEOPLE]
        # One person's: of several, one whose look takes long on a busy machine would have to give way to another.
        self.streaming = [Ear(_as("alice"), STREAM, call=str(calls.busy)) for _ in range(SCREENS)]
        self.looking = [Ear(_as("alice"), NEWEST, call=str(calls.busy)) for _ in range(SCREENS)]
        self.ringing = Ear(_as("carol"), RINGS)

    @property
    def everybody(self) -> Sequence[Ear]:
        return [*self.following, *self.streaming, *self.looking, self.ringing]

    async def has_all(self, heads: Heads) -> str:
        """Returns the epoch, once each of them has heard the last of what there is."""
        await asyncio.gather(
            *(ear.until(lambda ear: ear.last and ear.last["seq"] == heads[UUID(ear.call)]) for ear in self.following),
            *(ear.until(lambda ear: ear.last and ear.last[-1]["seq"] == heads[self._calls.busy]) for ear in self.streaming),
            *(ear.until(lambda ear: newest(ear) == heads[self._calls.busy]) for ear in self.looking),
            self.ringing.until(lambda ear: ear.last and (ear.last["kind"], ear.last["callId"]) == ("incoming", str(self._calls.later))),
        )
        (epoch,) = {ear.last["epoch"] for ear in self.following}
        return str(epoch)


def coming_back(calls: Calls, heads: Heads, epoch: str | None) -> list[Ear]:
    """With cursors of before, and of this history."""
    return [follows(who, call, heads[call], epoch) for call in (calls.busy, calls.quiet, calls.later) for who in PEOPLE]


def follows(who: str, call: UUID, after: int = 0, epoch: str | None = None) -> Ear:
    return Ear(_as(who), FOLLOW, call=str(call), after=after, epoch=epoch)


def newest(ear: Ear) -> int | None:
    """What a live query says now."""
    return ear.last[0]["seq"] if ear.last else None


def _as(name: str) -> dict[str, str]:
    return bearer(USER_IDS[name])
