"""The example that records a call: its operations run as they stand, from top to bottom, and the console passes the ids on."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import orjson
import pytest
from graphql import OperationDefinitionNode, parse, print_ast
from playwright.async_api import Route, expect

from domain.recordings.names import file_key
from tests.console.conftest import Console
from tests.console.test_console import RESPONSE
from tests.recordings.recorded_call import RecordedCall, begin_call
from tests.support.actions import Api, api
from tests.support.domain_setup import ALICE, BOB, Setup, session, setup

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]
EXAMPLE = (Path(__file__).parents[2] / "console" / "src" / "tour" / "examples" / "13-record-a-call.graphql").read_text()
OPERATIONS = {one.name.value: one for one in parse(EXAMPLE).definitions if isinstance(one, OperationDefinitionNode) and one.name}


@pytest.fixture
async def call(on: Setup) -> RecordedCall:
    """alice, who hosts, bob and carol talk."""
    return await begin_call(on)


async def answer(client: Api, name: str, who: UUID = ALICE, /, **variables: str) -> Any:
    """What one operation of the example answers."""
    (told,) = (await client.data(session(who), print_ast(OPERATIONS[name]), variables)).values()
    return told


async def test_its_operations_run_from_top_to_bottom(call: RecordedCall, client: Api) -> None:
    steps = iter(OPERATIONS)
    (found,) = await answer(client, next(steps))
    assert (found["id"], found["status"], found["recordings"]) == (str(call.id), "connected", [])
    recording = (await answer(client, next(steps), callId=found["id"]))["recordingId"]
    assert (await answer(client, next(steps), BOB, callId=found["id"]))["participant"]["consented_at"]
    await call.turn()
    await call.active()
    assert (await answer(client, next(steps), recordingId=recording))["recording"]["status"] == "recording"
    await call.turn()
    await call.complete("EG_1")
    assert await call.status() == "paused"
    assert (await answer(client, next(steps), recordingId=recording))["recording"]["status"] == "paused"
    await call.turn()
    await call.active()
    assert await call.status() == "recording"
    assert (await answer(client, next(steps), recordingId=recording))["recording"]["status"] == "processing"
    await call.turn()
    await call.complete("EG_2")
    await call.on.database.execute("UPDATE nchat_call_recordings SET file_path = $1", file_key("recordings/joined/"))
    assert (await answer(client, next(steps), recordingId=recording))["fileName"].endswith(".mp4")
    assert list(steps) == []


async def test_the_console_passes_the_ids_on(console: Console) -> None:
    page, asked = console.page, dict[str, Any]()
    answers = {
        "CallToRecord": {"nchat_calls": [{"id": "call-1", "recordings": [{"id": "an older one"}]}, {"id": "another"}]},
        "StartRecording": {"startRecording": {"recordingId": "recording-1", "recording": {"status": "starting"}}},
        "PauseRecording": {"pauseRecording": {"recording": {"status": "recording"}}},
    }

    async def respond(route: Route) -> None:
        body = cast(dict[str, Any], orjson.loads(route.request.post_data or "{}"))
        name = body.get("operationName")
        if name not in answers:
            await route.continue_()
            return
        asked[name] = body.get("variables") or {}
        await route.fulfill(body=orjson.dumps({"data": answers[name]}).decode(), content_type="application/json")

    await page.route("**/v1/graphql", respond)
    await page.locator(".graphiql-tab", has_text="CallToRecord").click()
    # The editor reads what it holds a moment later: then the button has a menu.
    await expect(page.locator(".graphiql-execute-button")).to_have_attribute("aria-haspopup", "menu")
    for name, seen in (("CallToRecord", "call-1"), ("StartRecording", "recording-1"), ("PauseRecording", '"recording"')):
        await page.click(".graphiql-execute-button")
        await page.get_by_role("menuitem", name=name).click()
        await expect(page.locator(RESPONSE)).to_contain_text(seen)
    assert asked == {"CallToRecord": {}, "StartRecording": {"callId": "call-1"}, "PauseRecording": {"recordingId": "recording-1"}}
    assert (console.elsewhere, console.complaints) == ([], [])
