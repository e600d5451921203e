"""What a client may have written down, as PostgreSQL measures it."""

from collections.abc import Mapping

import orjson
import pytest

from domain.errors import InvalidInput
from domain.input_checks import require_storable, require_text
from domain.recordings.rows import RecordingLayout
from resolvers.actions.input_words import one_of
from tests.support.domain_setup import Setup

pytestmark = pytest.mark.anyio

KEPT: dict[str, Mapping[str, object]] = {
    "nothing": {},
    "every kind of value": {"a": [1, -2.5, True, False, None, "x"], "b": {"c": {}}, "d": []},
    "numbers with many digits": {"a": [1e300, -1.5e-300, 1e16, 0.1, 123456789012345678901234567890]},
    "texts in need of an escape": {'"\\/': "\t\n\u0001\u007f", "\u00e9": "\U0001f600"},
    "a text that speaks of NUL": {"\\u0000": "\\u0000"},
}


@pytest.mark.parametrize("case", KEPT)
async def test_the_limit_is_the_tables(on: Setup, case: str) -> None:
    text = orjson.dumps(KEPT[case]).decode() if case != "numbers with many digits" else str(KEPT[case]).replace("'", '"')
    size = await on.database.fetchval("SELECT octet_length($1::jsonb::text)", text)
    require_storable("metadata", KEPT[case], size)
    with pytest.raises(InvalidInput):
        require_storable("metadata", KEPT[case], size - 1)


@pytest.mark.parametrize("value", [{"a": "\0"}, {"\0": 1}, {"a": [{"b": "x\0"}]}, {"a": float("nan")}, {"a": [float("-inf")]}])
def test_what_jsonb_cannot_hold(value: Mapping[str, object]) -> None:
    with pytest.raises(InvalidInput):
        require_storable("metadata", value, 8192)


def test_a_text() -> None:
    require_text("reason", "x" * 100, 100)
    for value in ("x" * 101, "a\0b"):
        with pytest.raises(InvalidInput):
            require_text("reason", value, 100)


def test_a_word() -> None:
    assert one_of(RecordingLayout, "layout", None, "grid") == "grid"
    assert one_of(RecordingLayout, "layout", "single", "grid") == "single"
    for value in ("", "GRID", None):
        with pytest.raises(InvalidInput):
            one_of(RecordingLayout, "layout", value)
    with pytest.raises(InvalidInput):
        one_of(RecordingLayout, "layout", "", "grid")
