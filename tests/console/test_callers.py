"""Who asks: outlives a reload and a token; in a deployment a token is asked for, and sent when it is whole."""

import asyncpg
import pytest
from playwright.async_api import Browser, Request, expect

from app.http import console_tokens
from tests.console.conftest import Console, opened, served
from tests.console.test_console import RESPONSE, run, settled, write
from tests.support.whole_service import ADMIN_SECRET

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

FOREIGN = (
    """localStorage.setItem('graphiql:tabState', '{"activeTabIndex":0,"tabs":[{"id":"1","title":"Foreign","query":"{ foreign }"}]}')"""
)
KEPT = "JSON.stringify([{...localStorage}, {...sessionStorage}])"


async def test_bob_stays_bob_and_a_token_that_is_over_is_renewed(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    page, refused = console.page, console.page.locator(".refused")
    await page.click("#caller-bob")
    monkeypatch.setattr(console_tokens, "LIFE", -3600)
    # Another project that was served from the same address left its tabs.
    await page.evaluate(FOREIGN)
    await page.reload()
    await expect(page.locator(".graphiql-tab").first).to_contain_text("MyChannels")
    await expect(page.locator("#caller-bob")).to_have_attribute("aria-checked", "true")
    await expect(refused).to_contain_text("JWTExpired")
    await expect(refused).to_contain_text("does `make run` still run?")
    await expect(page.locator(RESPONSE)).not_to_contain_text("stack")
    monkeypatch.undo()
    await write(page, 'subscription Me { nchat_users(where: {username: {_eq: "bob"}}) { display_name } }')
    await settled(page, "Me")
    await run(page)
    await expect(page.locator(RESPONSE)).to_contain_text("Bob Brown")
    await expect(page.locator(".timeline .state")).to_have_text("live")
    await expect(refused).to_have_count(0)


async def test_a_deployment_asks_for_a_token_and_shows_nothing_of_the_demo(browser: Browser, demo_database_url: str) -> None:
    async with served(demo_database_url, []) as address, opened(browser, address) as console:
        page, sent = console.page, list[Request]()
        page.on("request", lambda request: sent.append(request) if request.url.endswith("/v1/graphql") else None)
        await expect(page.locator(".graphiql-tab")).to_have_text(["Me"])
        await expect(page.locator(".tour-button")).to_have_count(0)
        await expect(page.locator(".callers button")).to_have_text(["token…", "anonymous"])
        await expect(page.get_by_label("token", exact=True)).to_be_focused()
        await expect(page.locator(RESPONSE)).to_contain_text("Give a token")
        await page.get_by_label("admin secret").press_sequentially(ADMIN_SECRET)
        await expect(page.locator(".typed button")).to_have_text("Use")
        assert sent == []
        await page.keyboard.press("Enter")
        await expect(page.locator(".typed button")).to_have_text("In use")
        await run(page)
        await expect(page.locator(RESPONSE)).to_contain_text('"role": "admin"')
        assert {(await request.all_headers()).get("x-hasura-admin-secret") for request in sent} == {ADMIN_SECRET}
        await page.click("[data-name=headers]")
        await page.locator("[aria-label=Headers] .view-lines").last.click()
        await page.keyboard.insert_text(f'{{"x-hasura-admin-secret": "{ADMIN_SECRET}"')
        await run(page)
        await expect(page.locator(RESPONSE)).to_contain_text('"role": "admin"')
        await page.get_by_label("Show History").click()
        await expect(page.locator(".graphiql-plugin")).to_contain_text("Me")
        assert ADMIN_SECRET not in await page.evaluate(KEPT)
        assert console.complaints == []
