"""A subscription that lives for long holds no more than one that just began."""

import gc
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from resolvers.live.offer import Offer
from tests.calls.call_states import answered
from tests.subscriptions.listening import EVENTS, Listeners
from tests.support.domain_setup import ALICE, Setup, session

pytestmark = pytest.mark.anyio

HISTORY = """WITH taken AS (UPDATE nchat_call_counters SET event_seq = event_seq + $2::int WHERE call_id = $1 RETURNING event_seq)
    INSERT INTO nchat_call_events (call_id, seq, kind, actor_id, payload)
    SELECT $1, event_seq - $2 + n, 'call_video_changed', $3, '{"enabled": true}' FROM taken, generate_series(1, $2) n"""


async def take(payloads: AsyncGenerator[Offer, None], count: int) -> None:
    for _ in range(count):
        await (await anext(payloads)).take()


async def test_nothing_grows_with_each_event(on: Setup, listen: Listeners) -> None:
    """graphql-core's executor keeps 3 kB (some 25 objects) of each event for as long as the subscription lives."""
    call_id = await answered(on)
    await on.database.execute(HISTORY, call_id, 3_000, ALICE)
    async with aclosing(listen.raw(session(ALICE), EVENTS, call=str(call_id), after=0)) as payloads:
        # Whole pages: each measurement holds one.
        await take(payloads, 600)
        gc.collect()
        before = len(gc.get_objects())
        await take(payloads, 2_000)
        gc.collect()
        assert len(gc.get_objects()) - before < 2_000
