"""The packages of the clients."""

from pathlib import Path

import pytest

from tests.clients.npm_packages import installed


@pytest.fixture(scope="session")
def packages() -> Path:
    return installed(Path(__file__).parent)
