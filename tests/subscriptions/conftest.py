"""What the tests of subscriptions start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.valkey import valkey


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with valkey(tmp_path) as address:
        yield f"redis://{address}"
