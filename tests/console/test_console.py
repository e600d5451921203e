"""The console in a real browser with no network: it completes names, runs queries and subscriptions, and changes callers."""

from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import Page, expect

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


async def test_first_query_and_another_caller(console: Console, tmp_path: Path) -> None:
    page = console.page
    await run(page)
    await expect(page.locator(RESPONSE)).to_contain_text('"general"')
    await page.screenshot(path=tmp_path / "query.png")
    await page.click("#caller-mallory")
    await run(page)
    await expect(page.locator(RESPONSE)).to_contain_text('"nchat_channels": []')
    assert (tmp_path / "query.png").stat().st_size > 50_000
    assert (console.elsewhere, console.complaints) == ([], [])


async def test_field_names_are_completed(console: Console) -> None:
    page = console.page
    await write(page, "{ nchat_calls { ")
    await page.keyboard.type("stat", delay=30)
    await page.keyboard.press("Control+Space")
    await expect(page.locator(".suggest-widget .monaco-list-row").first).to_contain_text("status")
    await page.keyboard.press("Enter")
    await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("status")
    assert console.elsewhere == []


async def test_a_live_query_shows_each_change(console: Console, demo_database_url: str) -> None:
    page = console.page
    await write(page, "subscription Watch { nchat_channels { name } }")
    # The editor reads what it holds a moment later; the tab's name tells that it has.
    await expect(page.locator(".graphiql-tab-active")).to_contain_text("Watch")
    await run(page)
    await expect(page.locator(RESPONSE)).to_contain_text('"general"')
    database = await asyncpg.connect(demo_database_url)
    await database.execute("UPDATE nchat_channels SET name = 'renamed while we look'")
    await database.close()
    await expect(page.locator(RESPONSE)).to_contain_text("renamed while we look")
    assert (console.elsewhere, console.complaints) == ([], [])


async def test_the_explorer_lists_the_fields_of_the_role(console: Console) -> None:
    page = console.page
    await page.click("button[aria-label*='Explorer']")
    explorer = page.locator(".graphiql-plugin")
    await expect(explorer).to_contain_text("nchat_calls")
    await expect(explorer).not_to_contain_text("nchat_webhook_events")
    assert console.elsewhere == []
