"""What livekit-server is told of one egress comes in the order in which it happened."""

import asyncio
from types import SimpleNamespace

import pytest

from devstack.media.egress import Reports

pytestmark = pytest.mark.anyio


async def test_a_state_is_told_when_the_one_before_was_taken() -> None:
    """Two on their way at once would leave the record at either of them."""
    record, taken = SimpleNamespace(status="active"), list[str]()
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def report(info: SimpleNamespace) -> None:
        status = str(info.status)
        arrived.set()
        await go_on.wait()
        taken.append(status)

    reports = Reports(record, report)
    first = asyncio.create_task(reports.tell())
    await arrived.wait()
    record.status = "one address failed"
    second = asyncio.create_task(reports.tell())
    record.status = "two addresses failed"
    go_on.set()
    await asyncio.gather(first, second)
    assert taken == ["active", "two addresses failed"]
