"""What a client may have written down: text and JSON that PostgreSQL can keep."""

import json
from collections.abc import Mapping

from domain.errors import InvalidInput

# PostgreSQL stores every character of Unicode but this one.
NUL = "\0"


def require_text(field: str, value: str, longest: int) -> None:
    """InvalidInput for a text of more than `longest` characters, or one that can't be stored."""
    if len(value) > longest:
        raise InvalidInput(f"{field} has at most {longest} characters.")
    if NUL in value:
        raise InvalidInput(f"{field} holds a character that can't be stored.")


def require_storable(field: str, value: Mapping[str, object], longest: int) -> None:
    """InvalidInput for a JSON object of more than `longest` bytes, or one that jsonb can't hold: NUL, infinity."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise InvalidInput(f"{field} holds a number that JSON does not have.") from None
    if len(text.encode()) > longest:
        raise InvalidInput(f"{field} is at most {longest} bytes.")
    if "\\u0000" in text and NUL in "".join(_texts(value)):
        raise InvalidInput(f"{field} holds a character that can't be stored.")


def _texts(value: object) -> list[str]:
    """Every key and text in it."""
    match value:
        case str():
            return [value]
        case Mapping():
            return [text for key, item in value.items() for text in (str(key), *_texts(item))]
        case list():
            return [text for item in value for text in _texts(item)]
    return []
