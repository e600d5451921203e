"""A service process that stays up, over a database that comes back as it was."""

from collections.abc import Iterator

import pytest

from tests.support.forked_commands import ForkedCommands, forked_commands


@pytest.fixture(scope="session")
def commands() -> Iterator[ForkedCommands]:
    with forked_commands() as ready:
        yield ready
