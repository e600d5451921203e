"""`/calls/{id}.ics`: a planned call for whoever may see it, and one 404 for everybody and everything else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx2
import pytest
from starlette.applications import Starlette

from app.media.calendar_endpoint import CalendarEndpoint
from app.media.links import Bearer, LinkKey, link_additions
from app.settings import Settings
from domain.calendar import CalendarEntry, calendar
from domain.calls.actions.answer import cancel_call
from permissions.session import USER_ID, Session
from tests.support.domain_setup import ALICE, BOB, GENERAL, MALLORY, Setup, session

pytestmark = pytest.mark.anyio
SETTINGS = Settings(public_url="http://rtc.example", link_key="a secret of this test, long enough")
KEY = LinkKey(b"a secret of this test, long enough")
INSERT = "INSERT INTO nchat_calls (initiator_id, channel_id, type, scheduled_at) VALUES ($1, $2, 'video', $3) RETURNING id"
AT = datetime.now(UTC) + timedelta(days=30)


@pytest.fixture
async def http(on: Setup) -> AsyncIterator[httpx2.AsyncClient]:
    endpoint = CalendarEndpoint(KEY, on.world, on.clock, lambda noun, id: f"https://chat.example/{noun}s/{id}", lambda *_told: None)
    transport = httpx2.ASGITransport(app=Starlette(routes=endpoint.routes()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://rtc.example") as client:
        yield client


async def planned(on: Setup, *, channel: UUID | None = GENERAL, at: datetime | None = AT) -> UUID:
    found: UUID = await on.database.fetchval(INSERT, ALICE, channel, at)
    return found


def link(on: Setup, call_id: UUID, who: UUID, *, life: int = 60, kind: str = "calendar") -> str:
    bearer = Bearer("user", str(who), int(on.clock.now().timestamp()) + life)
    return f"/calls/{call_id}.ics?link={KEY.sign(kind, call_id, bearer)}"


async def test_a_planned_call(on: Setup, http: httpx2.AsyncClient) -> None:
    call_id = await planned(on)
    answer = await http.get(link(on, call_id, BOB))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["content-disposition"] == 'attachment; filename="call.ics"'
    lines = answer.text.split("\r\n")
    assert [lines[0], *lines[-3:]] == ["BEGIN:VCALENDAR", "END:VEVENT", "END:VCALENDAR", ""]
    event = dict(line.split(":", 1) for line in lines if line)
    assert {name: event[name] for name in ("UID", "DTSTART", "SUMMARY", "STATUS", "URL")} == {
        "UID": str(call_id),
        "DTSTART": f"{AT:%Y%m%dT%H%M%SZ}",
        "SUMMARY": "Video call: general",
        "STATUS": "CONFIRMED",
        "URL": f"https://chat.example/calls/{call_id}",
    }
    await cancel_call(on.world, session(ALICE), call_id)
    assert "STATUS:CANCELLED" in (await http.get(link(on, call_id, BOB))).text.split("\r\n")


async def test_the_link_of_the_row_leads_there(on: Setup, http: httpx2.AsyncClient) -> None:
    call_id, unplanned = await planned(on), await planned(on, at=None)
    asking = Session("user", {"x-hasura-role": "user", USER_ID: str(BOB)}, additions=link_additions(SETTINGS, media=False))
    asked = "SELECT id, nchat_calls_calendar_url(nchat_calls, $1::json) AS link FROM nchat_calls"
    links = {row["id"]: row["link"] for row in await on.database.fetch(asked, asking.as_argument())}
    assert links[unplanned] is None
    assert links[call_id].startswith(f"http://rtc.example/calls/{call_id}.ics?link=")
    assert (await http.get(links[call_id])).status_code == 200
    # Where nothing is recorded only calendars have links.
    for life in ("x-nchat-link-expiry", "x-nchat-playback-expiry"):
        media = "SELECT nchat_media_link($1::json, 'recording', $2, $3)"
        assert await on.database.fetchval(media, asking.as_argument(), call_id, life) is None
    assert {row["link"] for row in await on.database.fetch(asked, session(BOB).as_argument())} == {None}


async def test_nobody_else_learns_that_there_is_one(on: Setup, http: httpx2.AsyncClient) -> None:
    call_id, direct, unplanned = await planned(on), await planned(on, channel=None), await planned(on, at=None)
    signed = link(on, call_id, BOB)
    refused = [
        link(on, call_id, MALLORY),
        link(on, direct, BOB),
        link(on, unplanned, ALICE),
        link(on, uuid4(), ALICE),
        link(on, call_id, BOB, life=-1),
        link(on, call_id, BOB, kind="recording"),
        signed.replace(str(call_id), str(direct)),
        signed.replace(str(BOB), str(ALICE)),
        signed.partition("?")[0],
        signed[:-1] + ("A" if signed[-1] != "A" else "B"),
    ]
    answers = [await http.get(path) for path in refused]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, "Not found.\n")}
    assert (await http.get(signed)).status_code == 200
    await on.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", BOB)
    assert (await http.get(signed)).status_code == 404


@pytest.mark.parametrize("at", ["0044-03-15 12:00+00 BC", "-infinity", "infinity"])
async def test_a_time_in_no_calendar(on: Setup, http: httpx2.AsyncClient, at: str) -> None:
    call_id = await planned(on)
    await on.database.execute(f"UPDATE nchat_calls SET scheduled_at = '{at}'")
    assert (await http.get(link(on, call_id, ALICE))).status_code == 404


def test_lines_are_folded_and_text_escaped() -> None:
    call = CalendarEntry(uuid4(), "Audio call: Käse, Wurst;\r\nBEGIN:VEVENT \\o/ " + "ü" * 100, AT, AT, cancelled=False)
    lines = calendar(call, "https://chat.example").split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert lines.count(b"BEGIN:VEVENT") == 1
    unfolded = b"\r\n".join(lines).replace(b"\r\n ", b"").decode()
    assert f"SUMMARY:Audio call: Käse\\, Wurst\\;\\nBEGIN:VEVENT \\\\o/ {'ü' * 100}\r\n" in unfolded
