"""SIGHUP with the product's own metadata: a changed rule is served, to whoever is connected too; a slip of the pen keeps the old."""

import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from app import foundation, reloading
from tests.support.refusals import code_in, error_in
from tests.support.waiting import eventually
from tests.transport.fakes import Client, websocket
from tests.transport.test_service import ALICE, MALLORY, Asker, asking, bearer, settings

pytestmark = pytest.mark.anyio

CALLS = "{ nchat_calls(order_by: {id: asc}) { id } }"
NAMES = "{ nchat_users(limit: 1) { username } }"


@pytest.fixture
def metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may change."""
    copy = tmp_path / "metadata"
    shutil.copytree(foundation.PRODUCT_METADATA, copy)
    monkeypatch.setattr(foundation, "PRODUCT_METADATA", copy)
    # In processes of their own: what the tests have imported is looked through for seconds.
    monkeypatch.setattr(reloading, "gc", SimpleNamespace(unfreeze=lambda: None))
    monkeypatch.setattr(reloading, "settle", lambda: None)
    return copy


class Told:
    """What is logged, from one reload to the next."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys, self._text = capsys, ""

    async def after_hangup(self, event: str) -> str:
        self._capsys.readouterr()
        self._text = ""
        os.kill(os.getpid(), signal.SIGHUP)

        async def is_told() -> bool:
            self._text += self._capsys.readouterr().out
            return event in self._text

        await eventually(is_told, seconds=30)
        return self._text


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    return Told(capsys)


def rewrite(metadata: Path, table: str, old: str, new: str) -> Path:
    """The last place where it stands."""
    file = metadata / "databases" / "default" / "tables" / f"public_{table}.yaml"
    before, found, after = file.read_text().rpartition(old)
    assert found
    file.write_text(before + new + after)
    return file


def open_to_users(metadata: Path) -> None:
    """Every user sees every call, whatever the rule was."""
    file = metadata / "databases" / "default" / "tables" / "public_nchat_calls.yaml"
    lines = file.read_text().splitlines()
    user = lines.index("  - role: user", lines.index("select_permissions:"))
    begin = lines.index("      filter:", user)
    end = next(number for number in range(begin + 1, len(lines)) if not lines[number].startswith("       "))
    file.write_text("\n".join([*lines[:begin], "      filter: {}", *lines[end:], ""]))


@asynccontextmanager
async def following(ask: Asker, query: str, who: str) -> AsyncIterator[Client]:
    async with websocket(ask.address) as client:
        await client.init(bearer(who))
        await client.subscribe(query)
        yield client


async def test_a_changed_rule_is_served(demo_database_url: str, metadata: Path, told: Told) -> None:
    join = "mutation ($call: uuid!) { joinCall(input: {callId: $call}) { token } }"
    async with asking(settings(demo_database_url)) as ask:
        mine = (await ask(CALLS, bearer(ALICE)))["data"]["nchat_calls"]
        assert await ask(CALLS, bearer(MALLORY)) == {"data": {"nchat_calls": []}}
        hidden = error_in(await ask(join, bearer(MALLORY), call=mine[0]["id"]), join)
        assert hidden["extensions"]["code"] == "not-found"
        rings = "subscription { incomingCalls { kind } }"
        async with following(ask, f"subscription {CALLS}", MALLORY) as mallory, following(ask, rings, ALICE) as alice:
            assert (await mallory.receive(30))["payload"] == {"data": {"nchat_calls": []}}
            assert (await alice.receive(30))["payload"]["data"]["incomingCalls"] == {"kind": "snapshot"}
            open_to_users(metadata)
            await told.after_hangup("metadata_reloaded")
            began = time.monotonic()
            shown = (await mallory.receive(30))["payload"]["data"]["nchat_calls"]
            assert shown and all(call in shown for call in mine)
            # Whoever waits for rings is told the present state again.
            assert (await alice.receive(30))["payload"]["data"]["incomingCalls"] == {"kind": "snapshot"}
            assert time.monotonic() - began < 5
            assert (await ask(CALLS, bearer(MALLORY)))["data"]["nchat_calls"] == shown
        # What actions ask for the right follows the same rules.
        seen = error_in(await ask(join, bearer(MALLORY), call=mine[0]["id"]), join)
        assert seen["extensions"]["code"] != "not-found"


async def test_a_slip_of_the_pen_keeps_the_old(demo_database_url: str, metadata: Path, told: Told) -> None:
    async with asking(settings(demo_database_url)) as ask:
        before = await ask(NAMES, bearer(ALICE))
        assert "errors" not in before
        async with following(ask, f"subscription {NAMES}", ALICE) as alice:
            assert (await alice.receive(30))["payload"] == before
            file = rewrite(metadata, "nchat_users", "[id, username,", "[id, usrname,")
            line = file.read_text().partition("usrname")[0].count("\n") + 1
            assert f"{file.name}:{line}" in await told.after_hangup("metadata_not_reloaded")
            assert await ask(NAMES, bearer(ALICE)) == before
            rewrite(metadata, "nchat_users", "[id, usrname,", "[id, username,")
            actions = metadata / "actions.yaml"
            actions.write_text(actions.read_text().replace("- name: joinCall\n", "- name: joinCal\n", 1))
            assert "There is no action joinCal." in await told.after_hangup("metadata_not_reloaded")
            assert await ask(NAMES, bearer(ALICE)) == before
            actions.write_text(actions.read_text().replace("- name: joinCal\n", "- name: joinCall\n", 1))
            rewrite(metadata, "nchat_users", "[id, username,", "[id,")
            await told.after_hangup("metadata_reloaded")
            assert code_in(await ask(NAMES, bearer(ALICE)), NAMES) == "validation-failed"
            ended = await alice.receive(30)
            assert (ended["type"], ended["payload"][0]["extensions"]["code"]) == ("error", "validation-failed")
