"""Values of inputs whose GraphQL type is wider than the action's vocabulary."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, get_args

from domain.errors import InvalidInput


def one_of(vocabulary: Any, field: str, value: object, otherwise: str | None = None) -> Any:
    """The value, which is a word of the `Literal`; `otherwise` where nothing is said, which an empty text is not.

    InvalidInput, which names the words there are, for any other.
    """
    words, said = get_args(vocabulary), otherwise if value is None else value
    if said not in words:
        raise InvalidInput(f"{field} is one of {', '.join(words)}.")
    return said


def word(enum: type[Enum], value: object) -> Any:
    """The enum's word: the view of a role reads it as the bare value, the whole schema as the member."""
    return enum(value).value


def object_of(field: str, value: object) -> Mapping[str, object]:
    """A jsonb value that has to be an object; null is the empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{field} is a JSON object.")
    return value


def moment(field: str, value: object) -> datetime | None:
    """A time as a client writes it; one without a zone is UTC. InvalidInput for anything else."""
    if value is None:
        return None
    try:
        given = datetime.fromisoformat(str(value))
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{field} is a time like 2026-01-31T12:00:00Z.") from None
