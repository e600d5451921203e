"""How a call is recorded: as its channel says, or stricter."""

from dataclasses import replace
from itertools import product
from typing import get_args
from uuid import UUID

import pytest

from domain.call_settings.channels import AutoRecord, set_channel_call_settings
from domain.call_settings.manners import AT_LEAST, Manners, Wishes, settled
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.join import join_call
from domain.calls.actions.scheduled import start_scheduled_call
from domain.errors import InvalidInput
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
KINDS: tuple[AutoRecord, ...] = get_args(AutoRecord)
SETTINGS = "INSERT INTO nchat_channel_call_settings (channel_id, auto_record, recording_consent) VALUES ($1, $2, $3)"
PLANNED = "INSERT INTO nchat_calls (initiator_id, channel_id, type) VALUES ($1, $2, 'video') RETURNING id"
STRICTER = {("off", "first"), ("off", "second"), ("off", "host"), ("second", "first"), ("host", "first")} | {(kind, kind) for kind in KINDS}


async def manners(on: Setup, call_id: UUID) -> tuple[str, str]:
    row = await on.call(call_id)
    return row["auto_record"], row["recording_consent"]


async def test_the_channels_are_the_default(on: Setup) -> None:
    await on.database.execute(SETTINGS, GENERAL, "second", "ask")
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", channel_id=GENERAL))
    assert await manners(on, started.call_id) == ("second", "ask")
    assert (await on.participant(started.call_id, ALICE))["consented_at"] == on.clock.now()
    direct = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB]))
    assert await manners(on, direct.call_id) == ("off", "notify")
    assert (await on.participant(direct.call_id, ALICE))["consented_at"] is None


async def test_a_call_of_the_table_gets_them_when_it_starts(on: Setup) -> None:
    call_id = await on.database.fetchval(PLANNED, ALICE, GENERAL)
    await on.database.execute(SETTINGS, GENERAL, "host", "ask")
    await start_scheduled_call(on.world, session(ALICE), call_id, [BOB])
    assert await manners(on, call_id) == ("host", "ask")
    assert (await on.participant(call_id, ALICE))["consented_at"] is not None
    assert (await on.participant(call_id, BOB))["consented_at"] is None


async def test_what_an_administrator_wrote_down_is_not_undone(on: Setup) -> None:
    call_id = await on.database.fetchval(PLANNED, ALICE, GENERAL)
    await on.database.execute("UPDATE nchat_calls SET auto_record = 'host', recording_consent = 'ask'")
    await on.database.execute(SETTINGS, GENERAL, "second", "notify")
    with pytest.raises(InvalidInput):
        await start_scheduled_call(on.world, session(ALICE), call_id, [BOB], Wishes("second", None))
    await start_scheduled_call(on.world, session(ALICE), call_id, [BOB])
    assert await manners(on, call_id) == ("first", "ask")


async def test_stricter_may_be_asked_for_and_laxer_not(on: Setup) -> None:
    await on.database.execute(SETTINGS, GENERAL, "second", "ask")
    call_id = await on.database.fetchval(PLANNED, ALICE, GENERAL)
    before = await dump(on.database)
    for laxer in (Wishes("off"), Wishes("host"), Wishes(recording_consent="notify"), Wishes("first", "notify")):
        with pytest.raises(InvalidInput):
            await initiate_call(on.world, session(ALICE), CallRequest("video", channel_id=GENERAL, manners=laxer))
        with pytest.raises(InvalidInput):
            await start_scheduled_call(on.world, session(ALICE), call_id, [BOB], laxer)
    with pytest.raises(InvalidInput):
        await initiate_call(on.world, session(ALICE), CallRequest("video", channel_id=GENERAL, e2ee=True))
    assert await dump(on.database) == before
    stricter = CallRequest("video", channel_id=GENERAL, manners=Wishes("first", "ask"))
    assert await manners(on, (await initiate_call(on.world, session(ALICE), stricter)).call_id) == ("first", "ask")


def test_what_is_stricter() -> None:
    assert {(floor, kind) for floor, kinds in AT_LEAST.items() for kind in kinds} == STRICTER
    for one, other in product(KINDS, KINDS):
        both = Manners(one).with_those(Manners(other)).auto_record
        assert (one, both) in STRICTER and (other, both) in STRICTER
        assert all((both, kind) in STRICTER for kind in KINDS if {(one, kind), (other, kind)} <= STRICTER)


async def test_an_encrypted_call_is_not_recorded_by_itself(on: Setup) -> None:
    with pytest.raises(InvalidInput):
        settled(on.world, Manners(), Wishes("first"), e2ee=True)
    assert settled(on.world, Manners(), Wishes(None, "ask"), e2ee=True) == Manners("off", "ask")


async def test_where_nothing_is_recorded_nobody_can_ask_for_it(on: Setup) -> None:
    nowhere = replace(on.world, recorder=None)
    call_id = await on.database.fetchval(PLANNED, ALICE, GENERAL)
    await on.database.execute("UPDATE nchat_channel_members SET role = 'owner' WHERE user_id = $1", ALICE)
    before = await dump(on.database)
    for wishes in (Wishes("first"), Wishes("second"), Wishes("host"), Wishes(recording_consent="ask"), Wishes("off", "ask")):
        with pytest.raises(InvalidInput, match="records no calls"):
            await initiate_call(nowhere, session(ALICE), CallRequest("video", channel_id=GENERAL, manners=wishes))
        with pytest.raises(InvalidInput, match="records no calls"):
            await start_scheduled_call(nowhere, session(ALICE), call_id, [BOB], wishes)
        with pytest.raises(InvalidInput, match="records no calls"):
            await set_channel_call_settings(nowhere, session(ALICE), GENERAL, wishes.auto_record, wishes.recording_consent)
    assert await dump(on.database) == before
    await set_channel_call_settings(nowhere, session(ALICE), GENERAL, "off", "notify")
    started = await initiate_call(nowhere, session(ALICE), CallRequest("video", channel_id=GENERAL, manners=Wishes("off", "notify")))
    assert await manners(on, started.call_id) == ("off", "notify")


async def test_where_nothing_is_recorded_any_more_a_channels_calls_go_on_without(on: Setup) -> None:
    """Settled while the deployment recorded: nobody is asked for consent to nothing."""
    nowhere = replace(on.world, recorder=None)
    await on.database.execute(SETTINGS, GENERAL, "first", "ask")
    planned = await on.database.fetchval(PLANNED, ALICE, GENERAL)
    await on.database.execute("UPDATE nchat_calls SET auto_record = 'host', recording_consent = 'ask'")
    started = await initiate_call(nowhere, session(ALICE), CallRequest("video", [BOB], channel_id=GENERAL))
    assert await manners(on, started.call_id) == ("off", "notify")
    assert (await join_call(nowhere, session(BOB), started.call_id)).ticket is not None
    started = await start_scheduled_call(nowhere, session(ALICE), planned, [CAROL])
    assert await manners(on, started.call_id) == ("off", "notify")
    assert (await join_call(nowhere, session(CAROL), started.call_id)).ticket is not None
