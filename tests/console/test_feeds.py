"""The window of a feed: each payload stands in a timeline, from each of which it goes on, and how it ended is said."""

from typing import Any

import asyncpg
import orjson
import pytest
from playwright.async_api import Page, WebSocket, expect

from app.sockets.asking import ask
from tests.console.conftest import Console
from tests.console.test_console import RESPONSE, run, settled, write

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

STATE, ENTRIES = ".timeline .state", ".timeline .entry"
# What a page keeps of a feed, as in console/src/feeds/timeline.js.
KEPT = 500
# The call that CallEvents follows as it stands has 3,000 events.
MANY = """WITH counted AS (UPDATE nchat_call_counters SET event_seq = 3000 WHERE call_id = '00000000-0000-4000-8000-000000000203')
INSERT INTO nchat_call_events (call_id, seq, kind, payload)
SELECT '00000000-0000-4000-8000-000000000203', seq, 'told', '{}' FROM generate_series(1, 3000) seq ON CONFLICT DO NOTHING"""
STREAM = (
    "subscription Rows($from: bigint = 2999) { nchat_call_events_stream(batch_size: 9, cursor: {initial_value: {seq: $from}}) { at: seq } }"
)


def subscriptions(page: Page) -> list[dict[str, Any]]:
    """The payloads of what the page subscribes to, from now on."""
    sent = list[dict[str, Any]]()

    def take(frame: str | bytes) -> None:
        message = orjson.loads(frame)
        if message["type"] == "subscribe":
            sent.append(message["payload"])

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", take)

    page.on("websocket", listen)
    return sent


async def seqs(page: Page) -> list[int]:
    """Those of the timeline, the oldest first."""
    return [int(text.removeprefix("seq ")) for text in reversed(await page.locator(f"{ENTRIES} b").all_inner_texts())]


async def test_a_feed_goes_on_from_any_event_and_says_how_it_ended(console: Console) -> None:
    page = console.page
    sent, state = subscriptions(page), page.locator(STATE)
    await page.locator(".graphiql-tab", has_text="CallEvents").click()
    await settled(page, "CallEvents")
    await expect(page.locator(".timeline")).to_have_count(0)
    await run(page)
    await expect(page.locator(ENTRIES).first).to_contain_text("call_end")
    everything = await seqs(page)
    assert everything == list(range(1, len(everything) + 1)) and len(everything) > 9
    assert "ms" in await page.locator(f"{ENTRIES} time").first.inner_text()

    third = page.locator(".timeline li", has=page.get_by_text("seq 3", exact=True))
    await third.locator(".entry").click()
    await expect(page.locator(RESPONSE)).to_contain_text('"seq": 3,')
    await third.get_by_role("button", name="resume here").click()
    await expect(page.locator(".timeline .mark")).to_have_text("resumed after seq 3")
    await expect(page.locator(ENTRIES)).to_have_count(2 * len(everything) - 3)
    assert await seqs(page) == everything + everything[3:]

    await page.get_by_role("button", name="Stop", exact=True).click()
    await expect(state).to_have_text("stopped")
    await page.get_by_role("button", name=f"Resume after seq {len(everything)}").click()
    await expect(state).to_have_text("live")
    assert [payload["variables"].get("after") for payload in sent] == [None, 3, len(everything)]
    epochs = [payload["variables"].get("epoch") for payload in sent]
    assert epochs[0] is None and epochs[1] == epochs[2] and epochs[1]

    await page.locator(".graphiql-tab", has_text="MyChannels").click()
    await expect(page.locator(".timeline")).to_have_count(0)
    await page.locator(".graphiql-tab", has_text="CallEvents").click()
    await expect(state).to_have_text("ended when another tab was opened")
    await page.get_by_role("button", name=f"Resume after seq {len(everything)}").click()
    await expect(state).to_have_text("live")
    await page.click("#caller-mallory")
    await expect(state).to_have_text("ended: you ask as mallory now")
    await expect(page.locator(ENTRIES)).to_have_count(0)
    await expect(page.locator(RESPONSE).locator(".view-lines")).to_have_text("")
    assert (console.elsewhere, console.complaints) == ([], [])


async def test_thousands_of_payloads_are_kept_few_and_a_lost_connection_goes_on_behind_the_last(
    console: Console, demo_database_url: str
) -> None:
    page = console.page
    database = await asyncpg.connect(demo_database_url)
    await database.execute(MANY)
    await database.close()
    await page.locator(".graphiql-tab", has_text="CallEvents").click()
    await settled(page, "CallEvents")
    await run(page)
    await expect(page.locator(".timeline .count")).to_have_text("3,000 payloads")
    await expect(page.locator(ENTRIES)).to_have_count(KEPT)
    await expect(page.locator(".timeline .mark")).to_have_text(f"{3000 - KEPT:,} older ones are no longer here")
    await expect(page.locator(RESPONSE)).to_contain_text('"seq": 3000')

    await page.get_by_role("button", name="Stop", exact=True).click()
    sent = subscriptions(page)
    await write(page, STREAM)
    await settled(page, "Rows")
    await run(page)
    await expect(page.locator(".timeline .count")).to_have_text("1 payload")
    await expect(page.locator(ENTRIES).first).to_contain_text("seq 3000")
    await ask(demo_database_url, "close", None, 10)
    await expect(page.locator(".timeline .mark")).to_have_text("the connection was lost and came back")
    await expect(page.locator(STATE)).to_have_text("live")
    assert [payload["variables"] for payload in sent] == [{}, {"from": 3000}]
