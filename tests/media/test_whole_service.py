"""A recording from GraphQL to its bytes: links in one answer, followed to the store, a file saved under a name, and nobody else."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from app.storage.s3_store import S3Address, open_store
from devstack.ports import free_port
from devstack.store import StoreProcess
from domain.recordings.names import file_key, picture_key, playlist_key
from tests.media.film import playlist
from tests.media.library import Shelf, record
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, Setup
from tests.support.whole_service import Caller, WholeService, whole_service

pytestmark = pytest.mark.anyio
FIELDS = "url playlist_url thumbnail_url storyboard_url"
ASK = (
    f"query ($id: uuid!) {{ nchat_call_recordings_by_pk(id: $id) {{ id {FIELDS}"
    " parts(order_by: {index: asc}) { id url playlist_url } } }"
)
DOWNLOAD = "query ($input: RecordingDownloadInput!) { recordingDownload(input: $input) { url fileName expiresAt } }"


@dataclass(slots=True)
class Shown:
    service: WholeService
    shelf: Shelf
    # Follows redirects, as a browser does.
    browser: httpx2.AsyncClient

    async def links(self, who: Caller) -> Any:
        """The row as this person reads it; None when they don't see it."""
        return (await who.data(ASK, {"id": str(self.shelf.recording)}))["nchat_call_recordings_by_pk"]

    async def bytes_at(self, link: object) -> bytes:
        answer = await self.browser.get(str(link))
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture
async def shown(on: Setup, store_process: StoreProcess) -> AsyncIterator[Shown]:
    """The service of a deployment, its store, and a recording that is ready. LiveKit is away: for playing nobody needs it."""
    port, keys = free_port(), {"access_key": store_process.access_key, "secret_key": store_process.secret_key}
    settings = {f"s3_{name}": value for name, value in keys.items()} | {"s3_endpoint": store_process.url, "recording_bucket": "recordings"}
    settings |= {"public_url": f"http://127.0.0.1:{port}", "link_key": "a key of this test, of no use elsewhere"}
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(S3Address("recordings", store_process.url, **keys)))  # type: ignore[arg-type]
        shelf = Shelf(on, None, None, *await record(on), [])  # type: ignore[arg-type]
        await shelf.part(0, segments=3, began_at=on.clock.now())
        prefix = await shelf.prefix(0)
        await on.database.execute(
            "UPDATE nchat_call_recordings SET file_path = $1, thumbnail_path = $2", file_key(prefix), picture_key(prefix, 0)
        )
        for key, body, kind in (
            (file_key(prefix), b"a file", "video/mp4"),
            (picture_key(prefix, 0), b"a picture", "image/jpeg"),
            (playlist_key(prefix), playlist(3), "application/x-mpegurl"),
            (f"{prefix}segment_00001.ts", b"media", "video/mp2t"),
        ):
            await store.write(key, body, kind)
        service = await stack.enter_async_context(whole_service(on.url, "http://127.0.0.1:9", port=port, **settings))
        browser = await stack.enter_async_context(httpx2.AsyncClient(follow_redirects=True))
        yield Shown(service, shelf, browser)


async def test_links_lead_to_what_is_stored(shown: Shown) -> None:
    for who in (shown.service.person(ALICE), shown.service.person(BOB), shown.service.admin()):
        found = await shown.links(who)
        assert found is not None
        assert await shown.bytes_at(found["url"]) == b"a file"
        assert await shown.bytes_at(found["thumbnail_url"]) == b"a picture"
        (part,) = found["parts"]
        assert await shown.bytes_at(part["url"]) == b"a file"
        for link in (found["playlist_url"], part["playlist_url"]):
            lines = (await shown.bytes_at(link)).decode().splitlines()
            segments = [line for line in lines if not line.startswith("#")]
            assert len(segments) == 3 and lines[-1] == "#EXT-X-ENDLIST"
            assert await shown.bytes_at(httpx2.URL(str(link)).join(segments[1])) == b"media"
        cues = (await shown.bytes_at(found["storyboard_url"])).decode().split()
        assert await shown.bytes_at(httpx2.URL(str(found["storyboard_url"])).join(cues[-1])) == b"a picture"
    ranged = await shown.browser.get(str(found["url"]), headers={"range": "bytes=2-"})
    assert (ranged.status_code, ranged.content) == (206, b"file")


async def test_whoever_does_not_see_it_has_no_link(shown: Shown) -> None:
    for who in (shown.service.person(MALLORY), shown.service.person(CAROL)):
        assert await shown.links(who) is None
        assert await who.refusal(DOWNLOAD, {"input": {"recordingId": str(shown.shelf.recording)}}) == "not-found"
    assert await shown.service.nobody().refusal(ASK, {"id": str(shown.shelf.recording)}) == "validation-failed"
    assert await shown.service.nobody().refusal(DOWNLOAD, {"input": {"recordingId": str(shown.shelf.recording)}}) == "validation-failed"


async def test_a_copied_link_ends_with_the_right(shown: Shown) -> None:
    found = await shown.links(shown.service.person(BOB))
    assert found is not None
    links = [str(found[name]) for name in FIELDS.split()]
    behind = (await shown.service.http.get(links[0])).headers["location"]
    await shown.shelf.on.database.execute("UPDATE nchat_call_participants SET status = 'kicked' WHERE user_id = $1", BOB)
    absent = await shown.service.http.get(f"/media/recording/{shown.shelf.recording}/nothing")
    for link in links:
        answer = await shown.service.http.get(link)
        assert (answer.status_code, answer.content) == (absent.status_code, absent.content) == (404, b"Not found.\n")
    # What was given out already lives on for its own time, which the address says.
    assert await shown.bytes_at(behind) == b"a file"
    assert httpx2.URL(behind).params["X-Amz-Expires"] == str(60 + 900)
    assert await shown.links(shown.service.person(BOB)) is None


async def test_from_the_wish_to_remove_it_on_nobody_plays_it(shown: Shown) -> None:
    """Its objects are all there: the removal waits, for the store or for a recorder. Whoever deleted it must not see it play on."""
    alice, asked = shown.service.person(ALICE), {"recordingId": str(shown.shelf.recording)}
    found = await shown.links(alice)
    (part,) = found["parts"]
    links = [str(one[name]) for one, names in ((found, FIELDS.split()), (part, ("url", "playlist_url"))) for name in names]
    pieces = [(found["playlist_url"], "0/segment_00001.ts"), (part["playlist_url"], "0/segment_00001.ts")]
    pieces.append((found["storyboard_url"], "0/picture_00000.jpeg"))
    links += [f"{above}/{name}" for above, name in pieces]
    assert [(await shown.service.http.get(link)).status_code for link in links] == [302, 200, 302, 200, 302, 200, 302, 302, 302]
    await shown.shelf.on.database.execute("UPDATE nchat_call_recordings SET delete_asked_at = now()")
    for who in (alice, shown.service.person(BOB), shown.service.admin()):
        row = await shown.links(who)
        assert row is not None and {row[name] for name in FIELDS.split()} == {None}, "it is there until its objects are gone"
        assert [(one["url"], one["playlist_url"]) for one in row["parts"]] == [(None, None)]
        for download in (asked, asked | {"partId": part["id"]}):
            assert await who.refusal(DOWNLOAD, {"input": download}) == "not-found"
    stopped = "mutation ($input: StopRecordingInput!) { stopRecording(input: $input) { url thumbnailUrl recording { url playlist_url } } }"
    answer = (await shown.service.person(ALICE).data(stopped, {"input": asked}))["stopRecording"]
    assert answer == {"url": None, "thumbnailUrl": None, "recording": {"url": None, "playlist_url": None}}
    for link in links:
        answer = await shown.service.http.get(link)
        assert (answer.status_code, answer.content) == (404, b"Not found.\n"), link


async def test_links_are_null_until_there_is_something(shown: Shown) -> None:
    await shown.shelf.on.database.execute("UPDATE nchat_call_recordings SET file_path = NULL, thumbnail_path = NULL")
    await shown.shelf.on.database.execute("UPDATE nchat_call_recording_parts SET file_path = NULL, segments = 0")
    found = await shown.links(shown.service.person(ALICE))
    assert found is not None and {found[name] for name in FIELDS.split()} == {None}
    assert [(part["url"], part["playlist_url"]) for part in found["parts"]] == [(None, None)]
    who, asked = shown.service.person(ALICE), {"recordingId": str(shown.shelf.recording)}
    assert await who.refusal(DOWNLOAD, {"input": asked}) == "not-recording"
    await shown.shelf.on.database.execute("UPDATE nchat_call_recording_parts SET segments = 1")
    found = await shown.links(who)
    assert found is not None and found["playlist_url"] is not None and found["url"] is None
    await shown.shelf.on.database.execute("UPDATE nchat_call_recordings SET type = 'individual_tracks'")
    found = await shown.links(who)
    assert found is not None and found["playlist_url"] is None and found["parts"][0]["playlist_url"] is not None


async def test_each_kind_of_link_has_its_life(shown: Shown) -> None:
    before = time.time()
    found = await shown.links(shown.service.person(ALICE))
    for name, life in {"url": 900, "thumbnail_url": 900, "playlist_url": 43_200, "storyboard_url": 43_200}.items():
        expiry = int(found[name].rpartition("/")[2].partition(".")[0])
        assert expiry % 300 == 0 and before + life <= expiry <= time.time() + life + 300
    for part in found["parts"]:
        assert part["url"].rpartition("/")[2].partition(".")[0] == found["url"].rpartition("/")[2].partition(".")[0]


async def test_a_file_is_saved_under_a_name(shown: Shown) -> None:
    who, recording = shown.service.person(BOB), str(shown.shelf.recording)
    await shown.shelf.on.database.execute("UPDATE nchat_call_recordings SET title = 'Über/alles: \"Q3\"'")
    part = await shown.shelf.on.database.fetchval("SELECT id::text FROM nchat_call_recording_parts")
    for asked, name in (({}, "Über alles Q3 2026-01-02 10.20.mp4"), ({"partId": part}, "Über alles Q3 2026-01-02 10.20 part 1.mp4")):
        found = (await who.data(DOWNLOAD, {"input": {"recordingId": recording, **asked}}))["recordingDownload"]
        saved = await shown.browser.get(found["url"])
        assert (saved.content, found["fileName"]) == (b"a file", name)
        assert saved.headers["content-disposition"].startswith('attachment; filename="_ber alles Q3')
        assert httpx2.URL(found["url"]).params["X-Amz-Expires"] == "900"
    other = {"input": {"recordingId": recording, "partId": recording}}
    assert await who.refusal(DOWNLOAD, other) == "not-found"


async def test_readiness_and_metrics_know_the_store(shown: Shown, store_process: StoreProcess) -> None:
    ready = (await shown.service.http.get("/readyz")).json()
    assert ready["checks"]["storage"]["ok"] and ready["status"] == "degraded"
    told = (await shown.service.http.get("/metrics")).text
    assert 'nchat_storage_request_seconds_count{method="list",outcome="ok"} 1.0' in told
