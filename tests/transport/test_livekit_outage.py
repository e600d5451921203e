"""A LiveKit that is away: one line for each request that failed of it, and numbers by method and outcome."""

import re

import pytest

from devstack.ports import free_port
from tests.support.domain_setup import ALICE, BOB
from tests.support.log_lines import LogLines
from tests.support.whole_service import whole_service

pytestmark = pytest.mark.anyio


async def test_is_told_and_counted(demo_database_url: str, log_lines: LogLines) -> None:
    async with whole_service(demo_database_url, f"http://127.0.0.1:{free_port()}") as service:
        ring = "mutation Ring($to: uuid!) { initiateCall(input: {type: audio, targetUserIds: [$to]}) { callId } }"
        for _ in range(2):
            assert await service.person(ALICE).refusal(ring, {"to": str(BOB)}) == "media-unavailable"
        metrics = (await service.http.get("/metrics")).text
    told = [line for line in log_lines if line["event"] == "operation_failed"]
    assert [(line["operation"], line["kind"], line["path"], line["fault"], line["reason"]) for line in told] == [
        ("Ring", "mutation", "$.selectionSet.initiateCall", "server", "rooms.create_room: ClientConnectorError")
    ] * 2
    assert float(re.findall(r'request_seconds_count{method="create_room",outcome="unreachable"} (\S+)', metrics)[0]) >= 2
    failed = 'nchat_graphql_operations_total{fault="server",kind="mutation",outcome="media-unavailable",transport="http"} 2.0'
    assert failed in metrics
