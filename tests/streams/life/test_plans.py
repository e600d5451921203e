"""What is planned: reminders to those who are to come, and calendars."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx2
import orjson
import pytest
from starlette.applications import Starlette

from app.media.calendar_endpoint import CalendarEndpoint
from app.media.links import Bearer, LinkKey
from domain.streams.actions.create import create_stream
from domain.streams.actions.stop import cancel_stream
from domain.streams.planning import StreamPlan
from domain.streams.reminders import remind
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MALLORY, Setup, session

pytestmark = pytest.mark.anyio
KEY = LinkKey(b"a secret of this test, long enough")


async def planned(on: Setup, minutes: float) -> UUID:
    plan = StreamPlan(GENERAL, "Friday", visibility="invite_only", scheduled_at=on.clock.now() + timedelta(minutes=minutes))
    return (await create_stream(on.world, session(ALICE), plan)).stream_id


async def invite(on: Setup, stream_id: UUID, *people: UUID) -> None:
    invitations = [(stream_id, who, ALICE) for who in people]
    await on.database.executemany("INSERT INTO nchat_stream_invites (stream_id, user_id, invited_by) VALUES ($1, $2, $3)", invitations)


async def test_host_and_guests_are_reminded_once(on: Setup) -> None:
    stream_id = await planned(on, 20)
    await invite(on, stream_id, BOB, CAROL, DAVE)
    await on.database.execute("INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) VALUES ($1, $2, $3)", stream_id, DAVE, ALICE)
    on.clock.advance(599)
    assert (await remind(on.world), await on.pushes()) == (0, [])
    on.clock.advance(1)
    assert (await remind(on.world), await remind(on.world)) == (1, 0)
    rows = await on.database.fetch("SELECT * FROM nchat_push_outbox ORDER BY user_id")
    assert [(row["user_id"], row["kind"], row["transport"], row["collapse_id"]) for row in rows] == [
        (who, "stream_reminder", "alert", stream_id) for who in (ALICE, BOB, CAROL)
    ]
    said = orjson.loads(rows[0]["payload"])
    assert said.keys() == {"streamId", "title", "scheduledAt"} and (said["streamId"], said["title"]) == (str(stream_id), "Friday")
    assert {row["expires_at"] for row in rows} == {on.clock.now() + timedelta(minutes=10)}


async def test_guests_who_may_not_see_it_any_more_are_told_nothing(on: Setup) -> None:
    """What was for invitees is for the channel's members since."""
    stream_id = await planned(on, 5)
    await invite(on, stream_id, BOB, MALLORY)
    await on.database.execute("UPDATE nchat_streams SET visibility = 'channel_members' WHERE id = $1", stream_id)
    await remind(on.world)
    rows = await on.database.fetch("SELECT user_id FROM nchat_push_outbox ORDER BY user_id")
    assert [row["user_id"] for row in rows] == [ALICE, BOB]


async def test_nobody_is_reminded_of_what_is_called_off_or_over(on: Setup) -> None:
    await cancel_stream(on.world, session(ALICE), await planned(on, 20))
    await planned(on, 20)
    on.clock.advance(21 * 60)
    await remind(on.world)
    assert await on.pushes() == []


@pytest.fixture
async def http(on: Setup) -> AsyncIterator[httpx2.AsyncClient]:
    endpoint = CalendarEndpoint(KEY, on.world, on.clock, lambda noun, id: f"https://chat.example/{noun}s/{id}", lambda *_told: None)
    transport = httpx2.ASGITransport(app=Starlette(routes=endpoint.routes()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://rtc.example") as client:
        yield client


async def test_a_calendar(on: Setup, http: httpx2.AsyncClient) -> None:
    stream_id = await planned(on, 20)

    async def asked(who: UUID, kind: str = "stream_calendar") -> httpx2.Response:
        bearer = Bearer("user", str(who), int(on.clock.now().timestamp()) + 60)
        return await http.get(f"/streams/{stream_id}.ics?link={KEY.sign(kind, stream_id, bearer)}")

    answer = await asked(ALICE)
    assert (answer.status_code, answer.headers["content-disposition"]) == (200, 'attachment; filename="stream.ics"')
    lines = answer.text.split("\r\n")
    assert {"SUMMARY:Friday", "STATUS:CONFIRMED", f"UID:{stream_id}", f"URL:https://chat.example/streams/{stream_id}"} <= set(lines)
    assert [(await asked(MALLORY)).status_code, (await asked(BOB)).status_code, (await asked(ALICE, "calendar")).status_code] == [404] * 3
    await cancel_stream(on.world, session(ALICE), stream_id)
    assert "STATUS:CANCELLED" in (await asked(ALICE)).text.split("\r\n")
