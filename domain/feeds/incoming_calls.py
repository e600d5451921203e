"""The rings of one person, found by comparing what rings now with what rang at the last look."""

from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from domain.calls.life_cycle import ParticipantStatus
from domain.world import RingWatch
from permissions.session import Session

RingKind = Literal["incoming", "cancelled", "answered_elsewhere", "missed"]

_ANSWERED: Final = ("connecting", "connected", "disconnected")


@dataclass(frozen=True, slots=True)
class Ring:
    """A person in one call; `since` (when the person was asked) tells two rings of a call apart, `row` is what the reader shows."""

    call_id: UUID
    since: str
    status: ParticipantStatus
    leave_reason: str | None
    row: Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The calls that ring at the start: whatever a client knew before, it knows these now."""

    call_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Change:
    kind: RingKind
    ring: Ring


ReadRings = Callable[[Collection[UUID]], Coroutine[Any, Any, Collection[Ring]]]


async def follow_rings(watch: RingWatch, session: Session, look: ReadRings) -> AsyncGenerator[Snapshot | Change, None]:
    """First what is open now, in one piece and then ring by ring; after it each new one and how each ended.

    A second ring of a call is `incoming` again.

    `look` reads all that ring now, and the calls that it is given. The state is the truth: a hint that is lost, or a slow client,
    leaves out nothing that still matters.
    """
    known: Mapping[UUID, Ring] | None = None
    async with watch.follow(session) as following:
        while True:
            rings = {ring.call_id: ring for ring in await look(known or ())}
            ringing = {call_id: ring for call_id, ring in rings.items() if ring.status == "ringing"}
            if known is None:
                yield Snapshot(list(ringing))
            for change in differences(known or {}, rings):
                yield change
            known = ringing
            await following.changed({call_id: ring.since for call_id, ring in ringing.items()})


def differences(known: Mapping[UUID, Ring], rings: Mapping[UUID, Ring]) -> Iterator[Change]:
    """How each known ring ended, then those that began."""
    for call_id, ring in known.items():
        now = rings.get(call_id)
        if now is None or (now.status, now.since) != ("ringing", ring.since):
            yield Change(_end(now), ring)
    for call_id, ring in rings.items():
        if ring.status == "ringing" and (call_id not in known or known[call_id].since != ring.since):
            yield Change("incoming", ring)


def _end(now: Ring | None) -> RingKind:
    """From where the person is now; declined on another device, taken back, or no longer to be seen: it rings no more."""
    if now is not None and now.status in _ANSWERED:
        return "answered_elsewhere"
    return "missed" if now is not None and now.status == "left" and now.leave_reason == "missed" else "cancelled"
