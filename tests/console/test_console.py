"""The console in a real browser with no network: it completes names, runs queries and subscriptions, and changes callers."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import Page, Route, expect

from tests.console.conftest import Console

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

RESPONSE = ".graphiql-response"


async def write(page: Page, document: str) -> None:
    """Types over what the editor holds."""
    await page.click(".graphiql-query-editor .view-lines")
    await page.keyboard.press("Control+A")
    await page.keyboard.press("Delete")
    await page.keyboard.insert_text(document)


async def run(page: Page) -> None:
    await page.click(".graphiql-execute-button")


async def settled(page: Page, name: str) -> None:
    """The editor reads what it holds a moment later; the tab's name tells that it has."""
    await expect(page.locator(".graphiql-tab-active")).to_contain_text(name)


async def late_for(page: Page, name: str) -> None:
    """Runs what is there, and has somebody else ask before it is answered."""
    asked = asyncio.Event()

    async def keep(route: Route) -> None:
        asked.set()

    await page.route("**/v1/graphql", keep, times=1)
    await run(page)
    await asked.wait()
    async with page.expect_event("requestfailed"):
        await page.click(f"#caller-{name}")


async def fits_a_telephone(page: Page, picture: Path) -> None:
    """The answer has the whole width of it."""
    await page.set_viewport_size({"width": 390, "height": 844})
    for part in (".graphiql-query-editor", ".result-window .view-lines"):
        box = await page.locator(part).first.bounding_box()
        assert box is not None and box["width"] > 300 and box["x"] + box["width"] <= 390
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.screenshot(path=picture)
    await page.set_viewport_size({"width": 1440, "height": 860})


async def test_an_answer_is_for_whom_it_was_given_to(console: Console, tmp_path: Path) -> None:
    page = console.page
    await page.screenshot(path=tmp_path / "before.png")
    await expect(page.locator(RESPONSE)).to_have_text("")
    # Nothing was clicked: the editor has the keyboard.
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(RESPONSE)).to_contain_text('"general"')
    await page.screenshot(path=tmp_path / "query.png")
    await fits_a_telephone(page, tmp_path / "narrow.png")
    await page.click("#caller-mallory")
    await expect(page.locator(RESPONSE)).to_have_text("")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(RESPONSE)).to_contain_text('"nchat_channels": []')
    await late_for(page, "bob")
    await expect(page.locator(".graphiql-spinner")).to_have_count(0)
    await expect(page.locator(RESPONSE)).to_have_text("")
    assert (tmp_path / "query.png").stat().st_size > (tmp_path / "before.png").stat().st_size > 30_000
    assert (console.elsewhere, console.complaints) == ([], [])


async def test_field_names_are_completed_and_listed(console: Console) -> None:
    page = console.page
    await write(page, "{ nchat_calls { ")
    await page.keyboard.type("stat", delay=30)
    await page.keyboard.press("Control+Space")
    await expect(page.locator(".suggest-widget .monaco-list-row").first).to_contain_text("status")
    await page.keyboard.press("Enter")
    await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("status")
    await page.click("button[aria-label*='Explorer']")
    explorer = page.locator(".graphiql-plugin")
    await expect(explorer).to_contain_text("nchat_calls")
    await expect(explorer).not_to_contain_text("nchat_webhook_events")
    assert console.elsewhere == []


async def test_a_live_query_shows_each_change(console: Console, demo_database_url: str) -> None:
    page = console.page
    await write(page, "subscription Watch { nchat_channels { name } }")
    await settled(page, "Watch")
    await run(page)
    await expect(page.locator(RESPONSE)).to_contain_text('"general"')
    database = await asyncpg.connect(demo_database_url)
    await database.execute("UPDATE nchat_channels SET name = 'renamed while we look'")
    await database.close()
    await expect(page.locator(RESPONSE)).to_contain_text("renamed while we look")
    assert (console.elsewhere, console.complaints) == ([], [])
