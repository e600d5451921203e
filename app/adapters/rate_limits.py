"""Rate limits for the domain: counted in Redis for all processes, or in memory for one."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import limits
import structlog
from limits.aio.storage import RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

from app.adapters.memory_windows import MemoryWindows
from domain.errors import RateLimited

log = structlog.get_logger(__name__)

REDIS_TIMEOUT = 1.0
CONNECTION_TIMEOUT = 2.0
CONNECTIONS = 16


class WindowLimiter:
    """`domain.ports.RateLimiter` with a moving window: never more than the limit in any stretch of its length.

    `rates` maps a limit's name to `10/minute`; `shared` is the storage of all processes. While that is away each process
    counts for itself: a broken broker neither opens the gates nor shuts them.
    """

    def __init__(self, rates: Mapping[str, str], shared: Storage | None = None) -> None:
        self._rates = {name: limits.parse(rate) for name, rate in rates.items()}
        self._local = MemoryWindows()
        self._shared = None if shared is None else MovingWindowRateLimiter(shared)

    async def operation(self, key: str, most: int) -> float | None:
        """`resolvers.run.operation_rates.OperationRates`: how many a minute is said with each."""
        return await self._wait(limits.RateLimitItemPerMinute(most), "operation", key, 1)

    async def hit(self, limit: str, key: str, times: int = 1) -> None:
        """Counts uses; raises RateLimited, with the seconds until there is room again, where so many are not left. None is counted then."""
        rate = self._rates[limit]
        if times > rate.amount:
            raise RateLimited(rate.get_expiry(), f"Too many at once; at most {rate.amount} are allowed.")
        wait = await self._wait(rate, limit, key, times)
        if wait is not None:
            raise RateLimited(wait)

    async def _wait(self, rate: limits.RateLimitItem, limit: str, key: str, times: int) -> float | None:
        if self._shared is not None:
            try:
                return await _shared_hit(self._shared, rate, (limit, key), times)
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("rate_limit_counted_here", error=type(error).__name__)
        return self._local.hit(limit, key, times=times, most=rate.amount, seconds=rate.get_expiry())


async def _shared_hit(limiter: MovingWindowRateLimiter, rate: limits.RateLimitItem, place: tuple[str, str], times: int) -> float | None:
    """None when it was counted, otherwise the seconds until there is room again."""
    if await limiter.hit(rate, *place, cost=times):
        return None
    stats = await limiter.get_window_stats(rate, *place)
    return max(stats.reset_time - time.time(), 0.0)


@asynccontextmanager
async def open_limiter(rates: Mapping[str, str], redis_url: str | None) -> AsyncIterator[WindowLimiter]:
    """A limiter whose connections to Redis, if there is one, are closed at the end."""
    if redis_url is None:
        yield WindowLimiter(rates)
        return
    pool = BlockingConnectionPool.from_url(
        redis_url,
        max_connections=CONNECTIONS,
        timeout=CONNECTION_TIMEOUT,
        socket_timeout=REDIS_TIMEOUT,
        socket_connect_timeout=REDIS_TIMEOUT,
    )
    try:
        # limits declares its options narrower than it passes them on.
        options: dict[str, Any] = {"connection_pool": pool}
        yield WindowLimiter(rates, RedisStorage(f"async+{redis_url}", implementation="redispy", **options))
    finally:
        await pool.disconnect()
