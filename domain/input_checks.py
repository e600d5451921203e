"""What a client may have written down: text and JSON that PostgreSQL can keep."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal

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
    """InvalidInput for a JSON object of more than `longest` bytes in PostgreSQL's writing, or one that jsonb can't hold: NUL, infinity."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise InvalidInput(f"{field} holds a number that JSON does not have.") from None
    leaves = list(_leaves(value))
    if len(text.encode()) + sum(_written_out(leaf) for leaf in leaves if isinstance(leaf, float)) > longest:
        raise InvalidInput(f"{field} is at most {longest} bytes.")
    if any(isinstance(leaf, str) and NUL in leaf for leaf in leaves):
        raise InvalidInput(f"{field} holds a character that can't be stored.")


def _written_out(number: float) -> int:
    """How much longer PostgreSQL writes it: 1e300 with all its digits."""
    short = repr(number)
    return len(format(Decimal(short), "f")) - len(short)


def _leaves(value: object) -> Iterator[object]:
    """Every key, text and number in it."""
    match value:
        case Mapping():
            for key, item in value.items():
                yield key
                yield from _leaves(item)
        case list():
            for item in value:
                yield from _leaves(item)
        case _:
            yield value
