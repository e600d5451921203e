"""Destinations are added, changed and removed by the stream's host alone, and their keys are never seen again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from domain.errors import ActionError, Banned, InvalidInput, MediaUnavailable, NotAllowed, NotFound, RateLimited, StreamNotLive
from domain.ports import NoSealingKey
from domain.streams.destinations.adding import add_stream_destination, put_destinations
from domain.streams.destinations.changing import KEY_STAYS, DestinationChange, remove_stream_destination, update_stream_destination
from domain.streams.destinations.checking import INSIDE, NOWHERE, CheckedOutput, OutputWanted, check_all
from domain.streams.rows import lock_stream
from domain.world import World
from permissions.session import Session
from tests.streams.destinations.sent_stream import HOST, KEY, URL, new_stream
from tests.support.domain_setup import ALICE, BOB, MALLORY, MOD, ReadableSeals, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
ADMIN = Session("admin", {"x-hasura-role": "admin"})
WANTED, ANOTHER_KEY = OutputWanted("youtube", URL, KEY), DestinationChange(stream_key="another")


async def add(on: Setup, stream_id: UUID, wanted: OutputWanted = WANTED) -> UUID:
    return (await add_stream_destination(on.world, session(ALICE), stream_id, wanted)).destination_id


Act = Callable[[World, Session, UUID, UUID], Awaitable[object]]
ACTIONS: dict[str, Act] = {
    "add": lambda world, who, stream, _: add_stream_destination(world, who, stream, replace(WANTED, platform="twitch")),
    "update": lambda world, who, _, destination: update_stream_destination(
        world, who, destination, DestinationChange(stream_key="another")
    ),
    "remove": lambda world, who, _, destination: remove_stream_destination(world, who, destination),
}


async def test_a_destination_is_kept_with_its_key_sealed(on: Setup) -> None:
    stream_id = await new_stream(on)
    on.publisher.topics()
    destination_id = await add(on, stream_id, replace(WANTED, rtmp_url=f"RTMP://{HOST.upper()}:1935/app/"))
    row = await on.database.fetchrow("SELECT * FROM nchat_stream_destinations WHERE id = $1", destination_id)
    assert row is not None
    assert (row["stream_id"], row["platform"], row["rtmp_url"]) == (stream_id, "youtube", f"rtmp://{HOST}:1935/app")
    assert (row["stream_key_encrypted"], row["enabled"], row["status"], row["error_message"]) == (f"sealed:{KEY}", True, "pending", None)
    assert on.publisher.topics() == {"table:nchat_stream_destinations", "stream_outputs"}
    assert on.limiter.hits == [("destination", str(ALICE))]


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize(
    ("who", "of_add", "of_others"),
    [
        (session(BOB), NotAllowed, NotFound),
        (session(MALLORY), NotFound, NotFound),
        (session(MOD, "moderator"), NotAllowed, NotFound),
        (session(BOB, "anonymous"), NotFound, NotFound),
    ],
    ids=["a member", "a stranger", "a moderator", "anonymous"],
)
async def test_nobody_but_the_host_may(on: Setup, name: str, who: Session, of_add: type[ActionError], of_others: type[ActionError]) -> None:
    stream_id = await new_stream(on)
    destination_id = await add(on, stream_id)
    before, on.hosts.asked[:] = await dump(on.database), []
    with pytest.raises(of_add if name == "add" else of_others):
        await ACTIONS[name](on.world, who, stream_id, destination_id)
    assert await dump(on.database) == before
    assert on.hosts.asked == [], "no name is looked up for them"


async def test_a_banned_member_is_told_so(on: Setup) -> None:
    stream_id = await new_stream(on)
    await on.database.execute("INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) VALUES ($1, $2, $3)", stream_id, BOB, ALICE)
    with pytest.raises(Banned):
        await ACTIONS["add"](on.world, session(BOB), stream_id, uuid4())


@pytest.mark.parametrize("name", ACTIONS)
async def test_admin_may(on: Setup, name: str) -> None:
    stream_id = await new_stream(on)
    await ACTIONS[name](on.world, ADMIN, stream_id, await add(on, stream_id))


@pytest.mark.parametrize("name", ACTIONS)
async def test_what_is_not_there(on: Setup, name: str) -> None:
    with pytest.raises(NotFound):
        await ACTIONS[name](on.world, session(ALICE), uuid4(), uuid4())


@pytest.mark.parametrize("status", ["ending", "ended", "cancelled"])
async def test_a_stream_that_is_over_is_sent_nowhere_and_its_keys_can_still_be_removed(on: Setup, status: str) -> None:
    stream_id = await new_stream(on)
    destination_id = await add(on, stream_id)
    await on.database.execute("UPDATE nchat_streams SET status = $2::stream_status WHERE id = $1", stream_id, status)
    before = await dump(on.database)
    for name in ("add", "update"):
        with pytest.raises(StreamNotLive):
            await ACTIONS[name](on.world, session(ALICE), stream_id, destination_id)
    assert await dump(on.database) == before
    await remove_stream_destination(on.world, session(ALICE), destination_id)
    assert await on.database.fetchval("SELECT count(*) FROM nchat_stream_destinations") == 0


@pytest.mark.parametrize(
    ("addresses", "sentence"),
    [
        (["10.0.0.1"], INSIDE),
        (["127.0.0.1"], INSIDE),
        (["93.184.216.34", "192.168.0.1"], INSIDE),
        (["2606:2800:220:1::7", "::ffff:169.254.169.254"], INSIDE),
        ([], NOWHERE),
    ],
)
async def test_every_address_of_the_host_counts(on: Setup, addresses: list[str], sentence: str) -> None:
    stream_id = await new_stream(on)
    destination_id = await add(on, stream_id)
    on.hosts.known["evil.example"] = addresses
    before = await dump(on.database)
    with pytest.raises(InvalidInput) as refusal:
        await add(on, stream_id, OutputWanted("twitch", "rtmp://evil.example/app", KEY))
    assert refusal.value.sentence == sentence
    change = DestinationChange(rtmp_url="rtmp://evil.example/app", stream_key="another")
    with pytest.raises(InvalidInput) as refusal:
        await update_stream_destination(on.world, session(ALICE), destination_id, change)
    assert refusal.value.sentence == sentence
    assert await dump(on.database) == before


@pytest.mark.parametrize(
    "url",
    [f"rtmp://{HOST}/another", f"rtmp://{HOST}:1936/app", f"rtmps://{HOST}/app", "rtmp://8.8.8.8/app"],
    ids=["path", "port", "scheme", "host"],
)
@pytest.mark.parametrize("status", ["pending", "error"])
async def test_a_kept_key_goes_nowhere_but_where_it_was_given_for(on: Setup, url: str, status: str) -> None:
    """Whoever hosts the stream by now, or has the host's session, would read at an address of theirs what nobody may read again."""
    stream_id = await new_stream(on)
    destination_id = await add(on, stream_id)
    await on.database.execute("UPDATE nchat_streams SET host_id = $1", BOB)
    await on.database.execute("UPDATE nchat_stream_destinations SET status = $1", status)
    before = await dump(on.database)
    for who in (session(BOB), ADMIN):
        for enabled in (None, True):
            with pytest.raises(InvalidInput) as refusal:
                await update_stream_destination(on.world, who, destination_id, DestinationChange(rtmp_url=url, enabled=enabled))
            assert refusal.value.sentence == KEY_STAYS
    assert await dump(on.database) == before
    await update_stream_destination(on.world, session(BOB), destination_id, DestinationChange(rtmp_url=url, stream_key="bobs-own-key"))
    row = await on.database.fetchrow("SELECT rtmp_url, stream_key_encrypted FROM nchat_stream_destinations")
    assert row is not None
    assert (row["rtmp_url"], row["stream_key_encrypted"]) == (url, "sealed:bobs-own-key")


async def test_the_same_address_in_another_writing_keeps_its_key(on: Setup) -> None:
    destination_id = await add(on, await new_stream(on))
    before = await dump(on.database)
    for same in (URL, f"RTMP://{HOST.upper()}/app/"):
        await update_stream_destination(on.world, session(ALICE), destination_id, DestinationChange(rtmp_url=same))
    assert await dump(on.database) == before


@pytest.mark.parametrize("url", ["rtmp://10.0.0.1/app", "rtmp://[::1]/app", "rtmp://nowhere.example/app", f"http://{HOST}/app"])
async def test_addresses_in_numbers_and_names_that_lead_nowhere(on: Setup, url: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await add(on, await new_stream(on), replace(WANTED, rtmp_url=url))
    assert KEY not in refusal.value.sentence
    assert await on.database.fetchval("SELECT count(*) FROM nchat_stream_destinations") == 0


async def test_development_may_send_to_its_own_machine(on: Setup) -> None:
    world = replace(on.world, limits=replace(on.world.limits, sends_to_loopback=True))
    stream_id, on.hosts.known["localhost"] = await new_stream(on), ["127.0.0.1", "::1"]
    await add_stream_destination(world, session(ALICE), stream_id, replace(WANTED, rtmp_url="rtmp://localhost/app"))
    with pytest.raises(InvalidInput):
        await add_stream_destination(world, session(ALICE), stream_id, OutputWanted("twitch", "rtmp://10.0.0.1/app", KEY))


async def test_one_of_each_platform_also_when_asked_twice_at_once(on: Setup) -> None:
    stream_id = await new_stream(on)
    both = await asyncio.gather(add(on, stream_id), add(on, stream_id), return_exceptions=True)
    assert {type(one) for one in both} == {InvalidInput} | {type(one) for one in both if not isinstance(one, BaseException)}
    assert await on.database.fetchval("SELECT count(*) FROM nchat_stream_destinations") == 1
    await add(on, stream_id, replace(WANTED, platform="custom"))


async def test_what_a_change_does_not_name_stays(on: Setup) -> None:
    destination_id = await add(on, await new_stream(on))
    before = await dump(on.database)
    await update_stream_destination(on.world, session(ALICE), destination_id, DestinationChange())
    await update_stream_destination(on.world, session(ALICE), destination_id, DestinationChange(rtmp_url=URL, stream_key=KEY, enabled=True))
    assert await dump(on.database) == before
    await update_stream_destination(on.world, session(ALICE), destination_id, DestinationChange(enabled=False))
    await update_stream_destination(on.world, session(ALICE), destination_id, DestinationChange(stream_key="another"))
    row = await on.database.fetchrow("SELECT * FROM nchat_stream_destinations")
    assert row is not None
    assert (row["rtmp_url"], row["stream_key_encrypted"], row["enabled"], row["status"]) == (URL, "sealed:another", False, "pending")


async def test_one_that_failed_is_tried_again_by_an_empty_change(on: Setup) -> None:
    destination_id = await add(on, await new_stream(on))
    await on.database.execute("UPDATE nchat_stream_destinations SET status = 'error', error_message = 'No.'")
    await update_stream_destination(on.world, session(ALICE), destination_id, DestinationChange())
    row = await on.database.fetchrow("SELECT status, error_message FROM nchat_stream_destinations")
    assert row is not None
    assert (row["status"], row["error_message"]) == ("pending", None)


async def test_no_key_to_seal_with_no_key_to_keep(on: Setup) -> None:
    class NoSeals(ReadableSeals):
        def seal(self, secret: str) -> str:  # noqa: ARG002
            raise NoSealingKey

    world, stream_id = replace(on.world, sealer=NoSeals()), await new_stream(on)
    with pytest.raises(MediaUnavailable) as refusal:
        await add_stream_destination(world, session(ALICE), stream_id, WANTED)
    assert KEY not in refusal.value.sentence
    assert await on.database.fetchval("SELECT count(*) FROM nchat_stream_destinations") == 0


async def test_more_uses_than_the_limit(on: Setup) -> None:
    stream_id = await new_stream(on)
    destination_id = await add(on, stream_id)
    on.limiter.used_up.add("destination")
    before = await dump(on.database)
    for name in ("add", "update"):
        with pytest.raises(RateLimited):
            await ACTIONS[name](on.world, session(ALICE), stream_id, destination_id)
    assert await dump(on.database) == before


async def test_a_stream_starts_with_destinations_that_take_the_place_of_earlier_ones(on: Setup) -> None:
    stream_id = await new_stream(on)
    destination_id = await add(on, stream_id)
    await on.database.execute("UPDATE nchat_stream_destinations SET status = 'error', error_message = 'No.', enabled = false")
    checked = await check_all(on.world, [replace(WANTED, stream_key="new-key"), replace(WANTED, platform="custom")], "alice")
    async with on.world.transaction("test") as tx:
        await lock_stream(tx, stream_id)
        await put_destinations(tx, stream_id, checked)
    rows = {row["platform"]: row for row in await on.database.fetch("SELECT * FROM nchat_stream_destinations")}
    assert {platform: row["stream_key_encrypted"] for platform, row in rows.items()} == {
        "youtube": "sealed:new-key",
        "custom": f"sealed:{KEY}",
    }
    youtube = rows["youtube"]
    assert (youtube["id"], youtube["status"], youtube["error_message"], youtube["enabled"]) == (destination_id, "pending", None, True)


async def test_a_stream_does_not_start_with_two_of_a_platform_or_with_a_bad_one(on: Setup) -> None:
    with pytest.raises(InvalidInput):
        await check_all(on.world, [WANTED, replace(WANTED, stream_key="another")], "alice")
    with pytest.raises(InvalidInput):
        await check_all(on.world, [WANTED, OutputWanted("twitch", "rtmp://10.0.0.1/app", KEY)], "alice")


def test_a_key_does_not_show_where_values_are_printed() -> None:
    assert KEY not in repr(WANTED) + repr(CheckedOutput("youtube", URL, KEY)) + repr(DestinationChange(stream_key=KEY))
