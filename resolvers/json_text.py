"""JSON values as text, also those beyond what the fast encoder takes: integers of any size, and deep nesting."""

import json
from typing import Any

import orjson


def json_text(value: Any) -> str:
    """The value as JSON. Raises RecursionError when it is nested deeper than Python can follow."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
