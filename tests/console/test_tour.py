"""The tour leads through a call in one window, from ring to end; nobody types an id, and a closed example is opened again."""

import pytest
from playwright.async_api import Page, expect

from tests.console.conftest import Console
from tests.console.test_console import RESPONSE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

STEPS = {
    "IncomingCalls": ("bob", "snapshot"),
    "RingBobAndCarol": ("alice", '"initiateCall"'),
    "AcceptCall": ("bob", '"acceptCall"'),
    "LeaveCall": ("bob", '"user_left"'),
    "EndCall": ("alice", '"host_ended"'),
}


async def take(page: Page, name: str, who: str) -> None:
    """Opens a step and sees that nothing was run yet."""
    await page.locator(".tour li", has_text=name).first.get_by_role("button").click()
    await expect(page.locator(".graphiql-tab-active")).to_contain_text(name)
    await expect(page.locator(f"#caller-{who}")).to_have_attribute("aria-checked", "true")
    await expect(page.locator(RESPONSE).locator(".view-lines")).to_have_text("")


async def test_a_call_from_ring_to_end(console: Console) -> None:
    page = console.page
    await page.get_by_role("button", name="Close Tab").click()
    await expect(page.locator(".graphiql-tab", has_text="MyChannels")).to_have_count(0)
    await page.click(".tour-button")
    await take(page, "MyChannels", "alice")
    for name, (who, seen) in STEPS.items():
        await take(page, name, who)
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(RESPONSE)).to_contain_text(seen)
    await take(page, "CallEvents", "alice")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".timeline .entry").first).to_contain_text("call_end")
    told = await page.locator(".timeline .entry span").all_inner_texts()
    kinds = [line.split(" ")[0] for line in reversed(told)]
    assert kinds[:3] == ["call_initiate", "call_incoming", "call_incoming"]
    assert kinds.index("call_accept") < kinds.index("call_participant_left") < kinds.index("call_end") == len(kinds) - 1
    assert (console.elsewhere, console.complaints) == ([], [])
