"""Attendance, held against a model that looks at each second: whatever the events' order, no second of a person counts twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.attendance import attendance
from tests.calls.call_states import group
from tests.support.domain_setup import ALICE, BOB, CAROL, Setup

pytestmark = pytest.mark.anyio

JOINED = "call_participant_joined"
KINDS = (JOINED, "call_participant_disconnected", "call_participant_left", "kicked", "call_mute_changed")
INSERT = sa.text("""
    INSERT INTO nchat_call_events (call_id, seq, kind, payload, created_at)
    VALUES (:call, :seq, :kind, CAST(:payload AS jsonb), now() - make_interval(secs => :ago))
""")


@dataclass(frozen=True, slots=True)
class Step:
    """Something that an event tells, so many seconds after the one before."""

    after: int
    kind: str
    who: UUID


@dataclass(slots=True)
class Seen:
    first: int
    left: int | None = None
    seconds: int = 0


steps = st.builds(Step, st.integers(0, 4), st.sampled_from(KINDS), st.sampled_from((ALICE, BOB, CAROL)))


def model(story: Sequence[Step], lasts: int, *, ended: bool) -> dict[UUID, Seen]:
    """Second by second: who is in the room when it begins has been there for it."""
    seen: dict[UUID, Seen] = {}
    present: set[UUID] = set()
    times = [sum(step.after for step in story[: index + 1]) for index in range(len(story))]
    for second in range(lasts + 1):
        for step in (step for step, at in zip(story, times, strict=True) if at == second):
            if step.kind == JOINED:
                seen.setdefault(step.who, Seen(second)).left = None
                present.add(step.who)
            elif step.kind != "call_mute_changed" and step.who in present:
                seen[step.who].left = second
                present.remove(step.who)
        if second < lasts:
            for who in present:
                seen[who].seconds += 1
    for who in present if ended else ():
        seen[who].left = lasts
    return seen


async def told(on: Setup, call_id: UUID, story: Sequence[Step], lasts: int, *, ended: bool) -> dict[UUID, Seen]:
    """The same from these events, the last of them so long after the first; a call that runs is asked about at that moment."""
    rows = await on.database.fetch("SELECT user_id, id::text FROM nchat_call_participants WHERE call_id = $1", call_id)
    ids, ago = {row["user_id"]: row["id"] for row in rows}, lasts
    values: list[dict[str, Any]] = []
    for step in story:
        ago -= step.after
        values.append({"kind": step.kind, "payload": f'{{"participantId": "{ids[step.who]}"}}', "ago": ago})
    if ended:
        values.append({"kind": "call_end", "payload": "{}", "ago": 0})
    async with on.world.transaction("test") as tx:
        await tx.connection.execute(sa.text("DELETE FROM nchat_call_events WHERE call_id = :call"), {"call": call_id})
        for seq, value in enumerate(values):
            await tx.connection.execute(INSERT, {"call": call_id, "seq": seq + 1, **value})
        began = (await tx.connection.execute(sa.text("SELECT now() - make_interval(secs => :ago)"), {"ago": lasts})).scalar_one()
        return {
            one.user_id: Seen(
                int((one.first_joined_at - began).total_seconds()),
                None if one.last_left_at is None else int((one.last_left_at - began).total_seconds()),
                one.seconds,
            )
            for one in await attendance(tx, call_id)
        }


@pytest.fixture
async def call_id(on: Setup) -> UUID:
    return await group(on)


@pytest.mark.timeout(300)
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(steps, max_size=12), longer=st.integers(0, 5), ended=st.booleans())
async def test_it_is_what_each_second_says(on: Setup, call_id: UUID, story: list[Step], longer: int, ended: bool) -> None:
    lasts = sum(step.after for step in story) + longer
    assert await told(on, call_id, story, lasts, ended=ended) == model(story, lasts, ended=ended)


async def test_someone_who_comes_back_twice(on: Setup, call_id: UUID) -> None:
    """In words: in for 10 s, lost for 5, in for 20 with a second connection in the middle, out."""
    story = [
        Step(0, JOINED, BOB),
        Step(10, "call_participant_disconnected", BOB),
        Step(5, JOINED, BOB),
        Step(10, JOINED, BOB),
        Step(10, "call_participant_left", BOB),
    ]
    assert await told(on, call_id, story, 60, ended=True) == {BOB: Seen(0, 35, 30)}
