"""A Strawberry type of fields that were found elsewhere: the root of those written by hand."""

from collections.abc import Sequence
from typing import Any

from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField


def root_type(name: str, fields: Sequence[StrawberryField]) -> Any:
    """A class that Strawberry takes for the type of this name; None without any field."""
    return object_type(name, fields) if fields else None


def object_type(name: str, fields: Sequence[StrawberryField]) -> Any:
    """A class that Strawberry takes for the object type of this name."""
    origin: Any = type(name, (), {})
    origin.__strawberry_definition__ = StrawberryObjectDefinition(
        name=name,
        is_input=False,
        is_interface=False,
        origin=origin,
        description=None,
        interfaces=[],
        extend=False,
        directives=(),
        is_type_of=None,
        resolve_type=None,
        fields=list(fields),
    )
    return origin
