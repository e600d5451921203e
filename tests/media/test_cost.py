"""What it costs when 200 people watch a recording of 8 hours: `make trial-watchers` takes a minute for it, the tests some seconds."""

import pytest

from devstack.store import StoreProcess
from tests.media.watchers import watched
from tests.support.domain_setup import Setup
from tests.trials.scale import WHOLE

pytestmark = pytest.mark.anyio
WATCHERS = 200
LARGEST_RELOAD = 10_000
# Of a core. Beside other tests a request costs more: caches are shared.
MOST_OF_A_CORE = 0.2 if WHOLE else 0.4


async def test_many_watch_at_little_cost(on: Setup, store_process: StoreProcess) -> None:
    seen = await watched(on, store_process, watchers=WATCHERS, seconds=60 if WHOLE else 6)
    figures = f"{seen.core:.1%} of a core, {seen.per_second:.0f} requests a second, first {seen.first} bytes, reloads {max(seen.reloads)}"
    print(f"{WATCHERS} watchers: {figures}")  # noqa: T201 - what the trial is run for
    assert len(seen.reloads) >= WATCHERS and seen.redirects >= WATCHERS
    assert max(seen.reloads) <= LARGEST_RELOAD < seen.first
    assert seen.core <= MOST_OF_A_CORE, figures
