"""JSON that means one thing to every reader: what a signature covers must not be read in two ways."""

import json
from typing import Any, NoReturn


def read_object(text: bytes | str) -> dict[str, Any]:
    """One JSON object. Raises ValueError, with a sentence, for anything else, for a name given twice and for a number that is none."""
    found = read_json(text)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def read_json(text: bytes | str) -> Any:
    """One JSON value, with the same refusals."""
    try:
        return json.loads(text.decode() if isinstance(text, bytes) else text, object_pairs_hook=_each_once, parse_constant=_no_number)
    except json.JSONDecodeError:
        raise ValueError("not JSON") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name is given twice")
    return read


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
