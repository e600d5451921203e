"""Who may see a stream watches it, from its playlist to its bytes; everybody else, also who might before, gets what an absent one gives."""

from collections.abc import Awaitable, Mapping
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.playback.broadcast import Broadcast, broadcast
from tests.playback.conftest import Watched
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MALLORY, MOD
from tests.support.waiting import eventually
from tests.support.whole_service import Caller

pytestmark = pytest.mark.anyio
ASK = "query ($id: uuid!) { nchat_streams_by_pk(id: $id) { status playback_url embed_code duration } }"
CUT = "mutation ($input: ClipStreamInput!) { clipStream(input: $input) { clipId recording { title status } } }"
CLIP = "query ($id: uuid!) { nchat_call_recordings_by_pk(id: $id) { status clip_progress playlist_url } }"
NARROW = (
    'mutation ($id: uuid!) { update_nchat_streams_by_pk(pk_columns: {id: $id}, _set: {visibility: "channel_members"}) { id visibility } }'
)
PEOPLE = {"alice": ALICE, "bob": BOB, "carol": CAROL, "dave": DAVE, "mallory": MALLORY, "mod": MOD}
ABSENT = (404, b"Not found.\n")
# Members of the channel, and those who see every stream.
MEMBERS = {"alice", "bob", "carol", "dave", "mod", "admin"}
EVERYBODY = MEMBERS | {"mallory", "nobody"}


def caller(watched: Watched, who: str) -> Caller:
    match who:
        case "nobody":
            return watched.service.nobody()
        case "admin":
            return watched.service.admin()
    return watched.service.person(PEOPLE[who], "moderator" if who == "mod" else "user")


async def row(watched: Watched, who: str, live: Broadcast) -> Any:
    return (await caller(watched, who).data(ASK, {"id": str(live.stream)}))["nchat_streams_by_pk"]


async def links(watched: Watched, live: Broadcast, people: set[str]) -> Mapping[str, str]:
    """What GraphQL gives each of them."""
    found = {who: (await row(watched, who, live))["playback_url"] for who in sorted(people)}
    assert all(found.values()), found
    return found


async def segments(watched: Watched, link: str) -> list[str]:
    """The addresses in the playlist, from the first to the newest."""
    answer = await watched.browser.get(link)
    assert answer.status_code == 200, answer.text
    return [str(httpx2.URL(link).join(line)) for line in answer.text.splitlines() if not line.startswith("#")]


async def refused(watched: Watched, *addresses: str) -> None:
    for address in addresses:
        answer = await watched.browser.get(address)
        assert (answer.status_code, answer.content) == ABSENT, address


@pytest.mark.parametrize(
    ("visibility", "people"),
    [("public", EVERYBODY), ("channel_members", MEMBERS), ("invite_only", {"alice", "bob", "mod", "admin"})],
)
async def test_who_may_see_it_watches_it(watched: Watched, visibility: str, people: set[str]) -> None:
    live = await broadcast(watched.on, watched.store, visibility, keep=False)
    await live.invite(BOB)
    await live.part(0, 2, closed=True)
    await live.part(1, 2)
    given = await links(watched, live, people)
    for who, link in given.items():
        assert link.startswith(f"{watched.url}/media/stream/{live.stream}/"), who
        pieces = await segments(watched, link)
        assert [(await watched.browser.get(piece)).content for piece in pieces] == [b"0/0", b"0/1", b"1/0", b"1/1"], who
    for who in EVERYBODY - people:
        assert await row(watched, who, live) is None
        forged = next(iter(given.values())).rpartition(".")[0]
        await refused(watched, f"{forged}.AAAAAAAAAAAAAAAAAAAAAA", f"{forged}.AAAAAAAAAAAAAAAAAAAAAA/0/segment_00000.ts")
    unsigned = f"{watched.url}/media/stream/{live.stream}/public.m3u8"
    if visibility == "public":
        assert len(await segments(watched, unsigned)) == 4
    else:
        await refused(watched, unsigned, f"{unsigned}/0/segment_00000.ts")
    embedded = await watched.browser.get(f"{watched.url}/embed/{live.stream}")
    assert embedded.status_code == (200 if visibility == "public" else 404)
    assert ("Ask &lt;me&gt; anything" in embedded.text) == (visibility == "public")


async def test_made_for_members_while_it_is_watched(watched: Watched) -> None:
    """Playlist, segments, seek back, the whole, clips, the embedded page: all of it ends for who is no member, and for nobody else."""
    live = await broadcast(watched.on, watched.store)
    await live.part(0, 3)
    given = await links(watched, live, EVERYBODY)
    unsigned = f"{watched.url}/media/stream/{live.stream}/public.m3u8"
    before = {who: await segments(watched, link) for who, link in given.items()} | {"unsigned": await segments(watched, unsigned)}
    embed = f"{watched.url}/embed/{live.stream}"
    lookers = [embed, *(f"{embed}?link={given[who].rpartition('/')[2]}" for who in ("mallory", "nobody"))]
    assert [(await watched.browser.get(one)).status_code for one in lookers] == [200, 200, 200]
    await caller(watched, "alice").data(NARROW, {"id": str(live.stream)})
    for _ in ("live", "afterwards"):
        for who in ("mallory", "nobody"):
            await refused(watched, given[who], f"{given[who]}?_HLS_skip=YES", before[who][0], before[who][-1])
            assert await row(watched, who, live) is None
        await refused(watched, unsigned, f"{unsigned}?_HLS_skip=YES", before["unsigned"][0], before["unsigned"][-1])
        for one in lookers:
            answer = await watched.browser.get(one)
            assert answer.status_code == 404 and "Ask" not in answer.text and "not for everybody" in answer.text
        for who in MEMBERS:
            assert await segments(watched, given[who]) == before[who]
        assert (await watched.browser.get(f"{embed}?link={given['bob'].rpartition('/')[2]}")).status_code == 200
        await live.end()


@pytest.mark.parametrize("lost", ["banned", "no member", "no guest"])
async def test_a_right_that_is_lost_ends_with_the_next_reload(watched: Watched, lost: str) -> None:
    live = await broadcast(watched.on, watched.store, "invite_only" if lost == "no guest" else "channel_members")
    await live.invite(BOB)
    await live.invite(CAROL)
    await live.part(0, 2)
    given = await links(watched, live, {"bob", "carol"})
    piece = (await segments(watched, given["bob"]))[0]
    database = watched.on.database
    match lost:
        case "banned":
            await live.ban(BOB)
        case "no member":
            await database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", BOB)
        case "no guest":
            await database.execute("DELETE FROM nchat_stream_invites WHERE user_id = $1 AND stream_id = $2", BOB, live.stream)
    await refused(watched, given["bob"], f"{given['bob']}?_HLS_skip=YES", piece)
    assert await row(watched, "bob", live) is None
    assert len(await segments(watched, given["carol"])) == 2
    # It comes back, as the link does that lives as long.
    match lost:
        case "banned":
            await database.execute("UPDATE nchat_stream_bans SET lifted_at = now() WHERE stream_id = $1", live.stream)
        case "no member":
            await database.execute("INSERT INTO nchat_channel_members (channel_id, user_id) VALUES ($1, $2)", GENERAL, BOB)
        case "no guest":
            await live.invite(BOB)
    assert len(await segments(watched, given["bob"])) == 2


async def test_links_are_null_where_there_is_nothing(watched: Watched) -> None:
    database = watched.on.database
    live = await broadcast(watched.on, watched.store, status="starting")
    code = f'<iframe src="{watched.url}/embed/{live.stream}" '
    found = await row(watched, "bob", live)
    assert (found["playback_url"], found["duration"]) == (None, None) and found["embed_code"].startswith(code)
    await live.part(0, 1)
    assert (await row(watched, "bob", live))["playback_url"] is not None
    # A clip of it is none of its media.
    mine = "UPDATE nchat_call_recordings SET {} WHERE id = $1"
    await database.execute(mine.format("clip_from = 0, clip_to = 1"), live.recording)
    assert (await row(watched, "bob", live))["playback_url"] is None
    await database.execute(mine.format("clip_from = NULL, clip_to = NULL, delete_asked_at = now()"), live.recording)
    found = await row(watched, "nobody", live)
    assert found["playback_url"] is None and found["embed_code"].startswith(code)
    await refused(watched, f"{watched.url}/media/stream/{live.stream}/public.m3u8")
    await database.execute(mine.format("delete_asked_at = NULL"), live.recording)
    await database.execute("UPDATE nchat_streams SET status = 'cancelled' WHERE id = $1", live.stream)
    found = await row(watched, "bob", live)
    assert (found["playback_url"], found["embed_code"]) == (None, None)
    await refused(watched, f"{watched.url}/media/stream/{live.stream}/public.m3u8", f"{watched.url}/media/stream/{uuid4()}/public.m3u8")


async def test_a_clip_is_for_those_who_may_see_the_stream(watched: Watched) -> None:
    """Cut over GraphQL, copied by the service's own job in the real store, played; and gone with the right."""
    live = await broadcast(watched.on, watched.store, "channel_members")
    await live.part(0, 2, closed=True)
    await live.part(1, 2)
    wanted = {"input": {"streamId": str(live.stream), "from": 5, "to": 9, "title": "The best"}}
    assert await caller(watched, "bob").refusal(CUT, wanted) == "not-allowed"
    assert await caller(watched, "mallory").refusal(CUT, wanted) == "not-found"
    assert await caller(watched, "nobody").refusal(CUT, wanted) == "validation-failed"
    made = (await caller(watched, "alice").data(CUT, wanted))["clipStream"]
    assert made["recording"]["title"] == "The best"
    clip = {"id": made["clipId"]}

    async def shown(who: str) -> Any:
        return (await caller(watched, who).data(CLIP, clip))["nchat_call_recordings_by_pk"]

    await eventually(lambda: is_ready(shown("alice")))
    given = {who: (await shown(who))["playlist_url"] for who in ("alice", "bob", "mod", "admin")}
    for link in given.values():
        pieces = await segments(watched, link)
        assert [(await watched.browser.get(piece)).content for piece in pieces] == [b"0/1", b"1/0"]
    piece = (await segments(watched, given["bob"]))[0]
    assert await shown("mallory") is None
    assert await caller(watched, "nobody").refusal(CLIP, clip) == "validation-failed"
    await live.show("invite_only")
    await refused(watched, given["bob"], piece)
    assert await shown("bob") is None and len(await segments(watched, given["alice"])) == 2


async def is_ready(row: Awaitable[Any]) -> bool:
    return bool((await row)["status"] == "ready")


async def test_a_link_to_a_stream_opens_nothing_else(watched: Watched) -> None:
    live, other = await broadcast(watched.on, watched.store), await broadcast(watched.on, watched.store)
    await live.part(0, 1)
    await other.part(0, 1)
    link = (await links(watched, live, {"bob"}))["bob"]
    await refused(
        watched,
        link.replace(str(live.stream), str(other.stream)),
        link.replace("/stream/", "/playlist/").replace(str(live.stream), str(live.recording)),
        f"{watched.url}/media/playlist/{live.recording}/public.m3u8",
        f"{link}/1/segment_00000.ts",
        f"{link}/0/playlist.m3u8",
        f"{link}/0/picture_00000.jpeg",
    )
