"""What generated clients are shipped beside the schema: the scalars as TypeScript, the payloads of events by kind."""

import json
from typing import get_args

import pytest

from devstack.golden.client_types import CODEGEN, files
from domain.calls.life_cycle import CallStatus

pytestmark = pytest.mark.anyio


async def test_they_are_as_the_database_has_them(database_url: str) -> None:
    """After a change that is meant: `make golden`."""
    found = await files(database_url)
    assert {path.name for path in found} == {path.name for path in CODEGEN.iterdir()}
    for path, text in found.items():
        assert path.read_text() == text, f"{path.name} differs: make golden"


def test_enums_are_unions_of_their_values() -> None:
    scalars = json.loads((CODEGEN / "scalars.json").read_text())
    assert set(scalars["call_status"].replace("'", "").split(" | ")) == set(get_args(CallStatus))
    assert {scalars[name] for name in ("uuid", "timestamptz")} == {"string"}
    assert {scalars[name] for name in ("bigint", "smallint", "float8")} == {"number"}
    assert scalars["jsonb"] == "unknown"
