"""Sharing a screen, and ICE servers."""

import pytest

from domain.calls.actions.screen_share import start_screen_share, stop_screen_share
from domain.errors import AlreadySharing, InvalidInput, MediaUnavailable, NotAllowed
from domain.ice_servers import ice_servers
from tests.calls.call_states import answered, ringing
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, session
from tests.support.dump import dump
from tests.support.log_lines import LogLines

pytestmark = pytest.mark.anyio


async def test_the_right_to_share_comes_and_goes(on: Setup) -> None:
    call_id = await answered(on)
    room = (await on.call(call_id))["room_name"]
    on.rooms.join(room, str(BOB))
    started = await start_screen_share(on.world, session(BOB), call_id, "tab", with_audio=True)
    assert started.constraints == {"video": {"displaySurface": "browser", "frameRate": {"max": 30}}, "audio": True}
    assert started.allowed_sources == ("microphone", "camera", "screen_share", "screen_share_audio")
    assert on.rooms.grants[room, str(BOB)].sources == started.allowed_sources
    assert not (await on.participant(call_id, BOB))["is_screen_sharing"]
    await stop_screen_share(on.world, session(BOB), call_id)
    assert on.rooms.grants[room, str(BOB)].sources == ("microphone", "camera")


async def test_one_shares_at_a_time(on: Setup) -> None:
    call_id = await answered(on)
    await start_screen_share(on.world, session(BOB), call_id)
    before = await dump(on.database)
    with pytest.raises(AlreadySharing):
        await start_screen_share(on.world, session(ALICE), call_id)
    assert await dump(on.database) == before


async def test_a_right_that_was_never_used_goes_to_who_asks_next(on: Setup) -> None:
    call_id = await answered(on)
    room = (await on.call(call_id))["room_name"]
    on.rooms.join(room, str(BOB))
    await start_screen_share(on.world, session(BOB), call_id)
    on.clock.advance(31)
    await start_screen_share(on.world, session(ALICE), call_id)
    assert on.rooms.grants[room, str(BOB)].sources == ("microphone", "camera")
    await on.database.execute("UPDATE nchat_call_participants SET is_screen_sharing = true WHERE user_id = $1", ALICE)
    on.clock.advance(31)
    with pytest.raises(AlreadySharing):
        await start_screen_share(on.world, session(BOB), call_id)


async def test_several_share_where_the_call_allows_it(on: Setup) -> None:
    call_id = await answered(on)
    await on.database.execute("UPDATE nchat_calls SET single_sharer = false")
    await start_screen_share(on.world, session(BOB), call_id)
    await start_screen_share(on.world, session(ALICE), call_id)


async def test_who_may_not_share(on: Setup) -> None:
    call_id, unanswered = await answered(on), await ringing(on, CAROL, by=DAVE)
    await on.database.execute("UPDATE nchat_call_participants SET role = 'viewer' WHERE user_id = $1 AND call_id = $2", BOB, call_id)
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await start_screen_share(on.world, session(BOB), call_id)
    with pytest.raises(NotAllowed):
        await start_screen_share(on.world, session(CAROL), unanswered)
    assert await dump(on.database) == before


async def test_a_right_that_livekit_did_not_give_is_taken_back(on: Setup) -> None:
    call_id = await answered(on)
    on.rooms.broken.add("set_grant")
    before = await dump(on.database)
    with pytest.raises(MediaUnavailable):
        await start_screen_share(on.world, session(BOB), call_id)
    assert await dump(on.database) == before


async def test_ice_servers_of_the_settings_and_of_the_region(on: Setup) -> None:
    rows = [
        (["turn:eu.example"], "u", "sealed:p", "eu", 1, True),
        (["turn:us.example"], None, None, "us", 9, True),
        (["turn:world.example"], None, None, None, 5, True),
        (["turn:gone.example"], None, None, "eu", 9, False),
    ]
    insert = (
        "INSERT INTO nchat_ice_servers (urls, username, credential_encrypted, region, priority, is_active) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    await on.database.executemany(insert, rows)
    given = await ice_servers(on.world, session(ALICE), "eu")
    assert [server.urls[0] for server in given.servers[2:]] == ["turn:world.example", "turn:eu.example"]
    assert (given.servers[3].username, given.servers[3].credential) == ("u", "p")
    assert given.ttl == 86400
    assert len((await ice_servers(on.world, session(ALICE))).servers) == 5


async def test_a_server_whose_credential_cannot_be_read_is_left_out(on: Setup, log_lines: LogLines) -> None:
    insert = "INSERT INTO nchat_ice_servers (urls, username, credential_encrypted) VALUES ($1, 'u', $2)"
    await on.database.executemany(insert, [(["turn:lost.example"], "another key's"), (["turn:kept.example"], "sealed:p")])
    given = await ice_servers(on.world, session(ALICE))
    assert [server.urls[0] for server in given.servers[2:]] == ["turn:kept.example"]
    assert [line["event"] for line in log_lines] == ["ice_server_unreadable"]
    assert "another key's" not in str(log_lines)


@pytest.mark.parametrize("region", ["e\0u", "e" * 51])
async def test_a_region_that_is_none(on: Setup, region: str) -> None:
    with pytest.raises(InvalidInput):
        await ice_servers(on.world, session(ALICE), region)
