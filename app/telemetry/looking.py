"""Each process of several writes down its own numbers, because the one that is asked for them can't look into the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Final

from app.telemetry.metrics import Metrics

# Seconds: a scrape that another process answers shows numbers this old at most.
EVERY: Final = 2.0


@asynccontextmanager
async def looking(metrics: Metrics) -> AsyncIterator[None]:
    """Looks again and again while the block runs."""
    task = asyncio.create_task(_look(metrics), name="metrics", context=Context())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _look(metrics: Metrics) -> None:
    while True:
        metrics.look()
        await asyncio.sleep(EVERY)
