"""A service under attack, over the demo data."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.hostile.attacked_service import AttackedService, AttackedServices
from tests.hostile.neighbours import Neighbour, neighbour
from tests.hostile.scale import WHOLE
from tests.support.forked_commands import ForkedCommands

HERE = Path(__file__).parent
# Seconds that one attack at full size may take.
WHOLE_SECONDS = 1200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """An attack at full size takes its time."""
    for item in items:
        if WHOLE and item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(WHOLE_SECONDS))


@pytest.fixture(scope="session")
def beside() -> Iterator[Neighbour]:
    """Who feels the attacks of a session."""
    with neighbour() as ready:
        yield ready


@pytest.fixture
def services(commands: ForkedCommands, beside: Neighbour, demo_database_url: str, tmp_path: Path) -> AttackedServices:
    """Services under attack, over one database."""
    return AttackedServices(commands, beside, demo_database_url, tmp_path)


@pytest.fixture
async def attacked(services: AttackedServices) -> AsyncIterator[AttackedService]:
    """With every limit at its default."""
    async with services.open() as ready:
        yield ready
