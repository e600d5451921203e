"""A service under attack, over the demo data."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devstack.demo_data import USER_IDS
from tests.hostile.attacked_service import AttackedService, attacked_service


@pytest.fixture
async def attacked(demo_database_url: str, tmp_path: Path) -> AsyncIterator[AttackedService]:
    """With every limit at its default; alice is the neighbour."""
    async with attacked_service(demo_database_url, tmp_path, USER_IDS["alice"]) as ready:
        yield ready
