"""A service under attack, over the demo data."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devstack.demo_data import USER_IDS
from tests.hostile.attacked_service import AttackedService, attacked_service
from tests.hostile.scale import WHOLE

HERE = Path(__file__).parent
# Seconds that one attack at full size may take.
WHOLE_SECONDS = 1200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """An attack at full size takes its time."""
    for item in items:
        if WHOLE and item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(WHOLE_SECONDS))


@pytest.fixture
async def attacked(demo_database_url: str, tmp_path: Path) -> AsyncIterator[AttackedService]:
    """With every limit at its default; alice is the neighbour."""
    async with attacked_service(demo_database_url, tmp_path, USER_IDS["alice"]) as ready:
        yield ready
