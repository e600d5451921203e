"""What each role sees of the GraphQL schema, whole: a rule that shows more or less than before shows up in a review."""

import pytest

from devstack.golden.role_sdl import SDL, schemas

pytestmark = pytest.mark.anyio


async def test_each_role_sees_what_was_reviewed(database_url: str) -> None:
    """After a change that is meant: `make golden`."""
    found = await schemas(database_url)
    assert {path.name for path in found} == {path.name for path in SDL.iterdir()}
    for path, text in found.items():
        assert path.read_text() == text, f"{path.name} differs: make golden"
