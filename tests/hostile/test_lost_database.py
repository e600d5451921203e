"""PostgreSQL goes away under a service at work and comes back: one line for each job and each request, and never a traceback."""

from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from tests.hostile.freezing_proxy import freezing_proxy
from tests.hostile.service_process import ALICE, QUERY, serving
from tests.support.refusals import code_in
from tests.support.waiting import eventually
from tests.transport.fakes import Client, websocket

pytestmark = pytest.mark.anyio

LIVE = "subscription { nchat_users(limit: 1) { __typename } }"
JOBS = {"scheduler", "webhooks", "kick_watch", "free_lapsed"}
# Connections that are tried in vain: each job has tried several times by then.
TRIES = 60


def told(output: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in output.read_text().splitlines() if line.startswith("{")]


async def payload_of(client: Client, operation: str) -> Any:
    """What one operation is told next."""
    while (message := await client.receive())["id"] != operation:
        pass
    return message["payload"]


async def test_an_outage_is_a_line_a_job_and_a_line_a_request(demo_database_url: str, tmp_path: Path) -> None:
    output = tmp_path / "service.log"

    def jobs(event: str) -> set[str]:
        return {line["job"] for line in told(output) if line["event"] == event}

    async def all_wait() -> bool:
        return proxy.in_vain >= TRIES and jobs("job_waits") >= JOBS

    async def all_go_on() -> bool:
        return jobs("job_goes_on") >= JOBS - {"scheduler"}

    async with (
        freezing_proxy(demo_database_url) as (proxy, url),
        serving(url, output, 1) as (address, _),
        websocket(address) as client,
        httpx2.AsyncClient(base_url=f"http://{address}", headers=ALICE, timeout=30) as http,
    ):
        await client.init(ALICE)
        await client.subscribe(LIVE, "live")
        assert await payload_of(client, "live") == {"data": {"nchat_users": [{"__typename": "nchat_users"}]}}
        await client.subscribe("subscription { incomingCalls { callId } }", "rings")
        proxy.cut()
        assert code_in(await payload_of(client, "live"), LIVE) == "postgres-error"
        for number in range(3):
            answer = await http.post("/v1/graphql", json=QUERY, headers={"x-request-id": f"lost-{number}"})
            assert code_in(answer.json(), QUERY) == "postgres-error"
        await eventually(all_wait, seconds=60)
        proxy.mend()
        await eventually(all_go_on, seconds=60)
        assert "data" in await payload_of(client, "live")
        assert "data" in (await http.post("/v1/graphql", json=QUERY)).json()
    lines = told(output)
    assert "Traceback" not in output.read_text()
    assert set(Counter(line["job"] for line in lines if line["event"] == "job_waits").values()) == {1}
    failed = [line for line in lines if line["event"] == "operation_failed"]
    assert {line["code"] for line in failed} == {"postgres-error"}
    assert [line["request_id"] for line in failed if line["kind"] == "query"] == [f"lost-{number}" for number in range(3)]
    # Of the live query one, for all who follow it; of the feed one, where it could not go on.
    assert 1 <= len([line for line in failed if line["kind"] == "subscription"]) <= 2
    assert [line for line in lines if line["level"] == "error"] == []
