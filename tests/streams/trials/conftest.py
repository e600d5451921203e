"""One studio for all trials of a run: each has streams of its own, and leaves the servers as it found them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.streams.trials.studio import Studio, open_studio
from tests.support.databases import Databases
from tests.support.forked_commands import ForkedCommands


@pytest.fixture(scope="session")
async def servers(
    databases: Databases, demo_template: str, commands: ForkedCommands, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[Studio]:
    """All that runs from the first trial to the last."""
    with databases.temporary(demo_template) as url:
        async with open_studio(url, tmp_path_factory.mktemp("studio"), commands) as ready:
            yield ready


@pytest.fixture
def studio(servers: Studio) -> Iterator[Studio]:
    """The same, without the recorders of the trial before."""
    yield servers
    servers.end_recorders()
