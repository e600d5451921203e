"""What is written: a ring alone is voip, ends with the ring, and whatever follows takes its place."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from domain import timeouts
from domain.calls.actions.answer import accept_call, cancel_call, decline_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.invite import invite_to_call
from domain.deliveries.pushes import PUSHES
from domain.push_outbox import ALERTS_LIVE
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, Setup, session

pytestmark = pytest.mark.anyio
WRITTEN = "SELECT kind, transport, collapse_id, created_at, expires_at FROM nchat_push_outbox WHERE user_id = $1 ORDER BY created_at, kind"


async def ring(on: Setup, seconds: int = 45) -> UUID:
    request = CallRequest("audio", [BOB, CAROL], channel_id=GENERAL, ring_timeout_seconds=seconds)
    return (await initiate_call(on.world, session(ALICE), request)).call_id


async def living(on: Setup, user_id: UUID = BOB) -> list[str]:
    """The kinds that may still be delivered."""
    waiting = "SELECT kind FROM nchat_push_outbox WHERE user_id = $1 AND expires_at > $2 AND sent_at IS NULL ORDER BY kind"
    return [row["kind"] for row in await on.database.fetch(waiting, user_id, on.clock.now())]


async def test_a_ring_is_voip_and_ends_with_the_ring(on: Setup) -> None:
    call_id = await ring(on, 20)
    (push,) = await on.database.fetch(WRITTEN, BOB)
    assert (push["kind"], push["transport"], push["collapse_id"]) == ("ring", "voip", call_id)
    assert push["expires_at"] == on.clock.now() + timedelta(seconds=20)


async def test_everything_else_is_an_alert_of_the_same_call(on: Setup) -> None:
    call_id = await ring(on)
    on.clock.advance(1)
    await accept_call(on.world, session(BOB), call_id)
    _, push = await on.database.fetch(WRITTEN, BOB)
    assert (push["kind"], push["transport"], push["collapse_id"]) == ("answered_elsewhere", "alert", call_id)
    assert push["expires_at"] == on.clock.now() + ALERTS_LIVE


@pytest.mark.parametrize(("kind", "transport"), [("ring", "alert"), ("cancel", "voip"), ("stream_reminder", "voip"), ("ring", "sms")])
async def test_no_other_pair_can_be_written(on: Setup, kind: str, transport: str) -> None:
    row = "INSERT INTO nchat_push_outbox (user_id, kind, transport, payload, expires_at, collapse_id) VALUES ($1, $2, $3, '{}', now(), $1)"
    with pytest.raises(asyncpg.CheckViolationError, match="nchat_push_outbox_transport_check"):
        await on.database.execute(row, BOB, kind, transport)


@pytest.mark.parametrize("word", ["answered_elsewhere", "cancel", "missed"])
async def test_whatever_ends_a_ring_ends_its_push(on: Setup, word: str) -> None:
    call_id = await ring(on)
    on.clock.advance(46 if word == "missed" else 1)
    if word == "missed":
        await timeouts.run_timeouts(on.world)
    elif word == "cancel":
        await cancel_call(on.world, session(ALICE), call_id)
    else:
        await accept_call(on.world, session(BOB), call_id)
    over = "SELECT expires_at FROM nchat_push_outbox WHERE user_id = $1 AND kind = 'ring'"
    assert await on.database.fetchval(over, BOB) <= on.clock.now()
    assert await living(on) == [word]


async def test_a_second_ring_takes_the_place_of_the_word_that_the_first_is_over(on: Setup) -> None:
    call_id = await ring(on)
    await accept_call(on.world, session(CAROL), call_id)
    on.clock.advance(1)
    await decline_call(on.world, session(BOB), call_id)
    assert await living(on) == ["cancel"]
    on.clock.advance(1)
    await invite_to_call(on.world, session(ALICE), call_id, [BOB])
    assert await living(on) == ["ring"]


async def test_a_push_of_another_call_or_person_stays(on: Setup) -> None:
    first = await ring(on)
    other = await initiate_call(on.world, session(DAVE), CallRequest("audio", [BOB, CAROL]))
    on.clock.advance(1)
    await decline_call(on.world, session(BOB), first)
    rings = await on.database.fetch("SELECT collapse_id, user_id FROM nchat_push_outbox WHERE expires_at > $1", on.clock.now())
    assert {(row["collapse_id"], row["user_id"]) for row in rings} == {
        (first, BOB), (first, CAROL), (other.call_id, BOB), (other.call_id, CAROL),
    }  # fmt: skip
    assert await living(on) == ["cancel", "ring"]
    assert await living(on, CAROL) == ["ring", "ring"]


async def test_old_ones_are_purged_and_new_ones_stay(on: Setup) -> None:
    old = """
        INSERT INTO nchat_push_outbox (user_id, kind, transport, payload, expires_at, collapse_id, created_at)
        SELECT $1, 'missed', 'alert', '{}', $2, $1, $2 FROM generate_series(1, 2500)
    """
    await on.database.execute(old, BOB, on.clock.now() - timedelta(days=3))
    await ring(on)
    assert await PUSHES.purge(on.world) == 2500
    assert await on.pushes() == [("ring", BOB), ("ring", CAROL)]
