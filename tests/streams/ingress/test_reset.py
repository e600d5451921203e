"""A way in and another one: keys are told once and kept sealed, the old one opens nothing, and whoever may not ask changes nothing."""

import asyncio
from dataclasses import replace

import pytest

from domain.errors import ActionError, InvalidInput, MediaUnavailable, NotAllowed, NotFound, RateLimited, StreamNotLive
from domain.ports import NoSealingKey
from domain.streams.ingress.reset import IngressResult, reset_stream_ingress
from permissions.session import Session
from tests.streams.ingress.conftest import EncodedStream
from tests.support.domain_setup import ALICE, BOB, MALLORY, ReadableSeals, session
from tests.support.log_lines import LogLines

pytestmark = pytest.mark.anyio
ADMIN = Session("admin", {"x-hasura-role": "admin"})


async def reset(stream: EncodedStream, caller: Session | None = None) -> IngressResult:
    return await reset_stream_ingress(stream.on.world, caller or session(ALICE), stream.id)


async def test_a_stream_gets_a_way_in_under_its_host_s_name(stream: EncodedStream) -> None:
    way_in = await stream.start()
    assert (way_in.url, way_in.stream_key) == ("rtmp://ingest.example/live", "key-1-of-nobody-else")
    (row,) = await stream.rows()
    wanted = stream.on.ingests.wanted["IN_1"]
    assert (wanted.id, wanted.kind, wanted.identity, wanted.name) == (row["id"], "rtmp", f"ingress:{row['id']}", "Alice")
    shown = await stream.on.database.fetchrow("SELECT room_name, rtmp_ingest_url FROM nchat_streams WHERE id = $1", stream.id)
    assert shown is not None and tuple(shown) == (wanted.room, way_in.url)
    assert (row["ingress_id"], row["stream_key_encrypted"]) == ("IN_1", f"sealed:{way_in.stream_key}")
    assert way_in.stream_key not in repr(way_in)


@pytest.mark.parametrize("kind", ["rtmp", "whip"])
async def test_a_reset_removes_the_old_key_before_there_is_a_new_one(stream: EncodedStream, kind: str) -> None:
    old = await stream.start(kind)  # type: ignore[arg-type]
    stream.says("publishing")
    await stream.round()
    assert await stream.publishing()
    new = (await reset(stream)).way_in
    assert new.stream_key != old.stream_key
    assert stream.on.ingests.deleted == ["IN_1"] and set(stream.on.ingests.ingresses) == {"IN_2"}
    assert not await stream.publishing()
    before, after = await stream.rows()
    assert before["removed_at"] and before["stream_key_encrypted"] is None and before["status"] == "inactive"
    assert (after["kind"], after["ingress_id"], after["retired_at"]) == (kind, "IN_2", None)


@pytest.mark.parametrize(
    ("caller", "refusal"),
    [
        pytest.param(session(BOB), NotAllowed, id="member"),
        pytest.param(session(MALLORY), NotFound, id="stranger"),
        pytest.param(session(BOB, "moderator"), NotAllowed, id="moderator"),
    ],
)
async def test_nobody_else_resets_it(stream: EncodedStream, caller: Session, refusal: type[ActionError]) -> None:
    await stream.start()
    with pytest.raises(refusal):
        await reset(stream, caller)
    assert stream.on.ingests.deleted == [] and len(await stream.rows()) == 1


async def test_admin_resets_it(stream: EncodedStream) -> None:
    await stream.start()
    assert (await reset(stream, ADMIN)).way_in.stream_key == "key-2-of-nobody-else"


@pytest.mark.parametrize("status", ["scheduled", "ending", "ended", "cancelled"])
async def test_only_a_stream_that_runs_has_one(stream: EncodedStream, status: str) -> None:
    await stream.start()
    await stream.become(status)
    with pytest.raises(StreamNotLive):
        await reset(stream)
    assert stream.on.ingests.deleted == []


async def test_a_stream_from_a_browser_has_none(stream: EncodedStream) -> None:
    with pytest.raises(InvalidInput):
        await reset(stream)
    assert await stream.rows() == []


async def test_too_many_resets_wait(stream: EncodedStream) -> None:
    await stream.start()
    stream.on.limiter.used_up.add("token")
    with pytest.raises(RateLimited):
        await reset(stream)
    assert stream.on.ingests.deleted == []


async def test_a_livekit_that_does_not_remove_it_is_asked_again(stream: EncodedStream) -> None:
    await stream.start()
    stream.on.ingests.broken.add("delete")
    with pytest.raises(MediaUnavailable):
        await reset(stream)
    assert set(stream.on.ingests.ingresses) == {"IN_1"}
    stream.on.ingests.broken.clear()
    await stream.round()
    assert stream.on.ingests.ingresses == {}
    assert (await reset(stream)).way_in.stream_key == "key-2-of-nobody-else"


async def test_two_resets_at_once_leave_one_key(stream: EncodedStream) -> None:
    await stream.start()
    both = await asyncio.gather(reset(stream), reset(stream), return_exceptions=True)
    told = [one.way_in.stream_key for one in both if isinstance(one, IngressResult)]
    assert all(isinstance(one, IngressResult | MediaUnavailable) for one in both) and told
    await stream.round()
    (left,) = stream.on.ingests.ingresses
    row = await stream.ingress()
    assert row is not None and row.ingress_id == left
    (sealed,) = [row["stream_key_encrypted"] for row in await stream.rows() if row["stream_key_encrypted"]]
    assert sealed.removeprefix("sealed:") in told


class NoKeys(ReadableSeals):
    def seal(self, secret: str) -> str:  # noqa: ARG002 - nothing seals
        raise NoSealingKey("no key")


async def test_without_a_key_to_keep_it_with_there_is_none(stream: EncodedStream) -> None:
    await stream.start()
    stream.on.world = replace(stream.on.world, sealer=NoKeys())
    with pytest.raises(MediaUnavailable, match="encryption key"):
        await reset(stream)
    assert stream.on.ingests.deleted == [] and len(await stream.rows()) == 1


async def test_no_key_is_logged_or_told_of(stream: EncodedStream, log_lines: LogLines) -> None:
    await stream.start()
    stream.on.ingests.forgets_answer = True
    with pytest.raises(MediaUnavailable) as refused:
        await reset(stream)
    await stream.round(seconds=70)
    assert log_lines and "of-nobody-else" not in f"{list(log_lines)} {refused.value} {stream.on.publisher.hints}"
