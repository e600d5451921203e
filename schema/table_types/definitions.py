"""Strawberry definitions made directly from names, types and meanings: no dataclass per type, which would cost seconds at start."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

from schema.model import TrackedTable
from schema.naming import Naming
from schema.table_types.meaning import MEANING, Meaning


def listed(element: Any) -> Any:
    """The annotation of a list of non-null elements, for types made at run time."""
    return list[element]


def root_description(table: TrackedTable, kind: str, default: str) -> str | None:
    """The metadata's own description of a root field, otherwise the default one; an empty one is none."""
    return table.root_comments.get(kind, default) or None


def output(
    name: str, type_: Any, meaning: Meaning, *, arguments: Sequence[StrawberryArgument] = (), description: str | None = None
) -> StrawberryField:
    """A field of an object type. It has no resolver: the value comes as JSON from the one statement of the operation."""
    field = _field(name, type_, meaning, dataclasses.MISSING, description)
    field.arguments = list(arguments)
    return field


def key(
    name: str, type_: Any, meaning: Meaning, *, default: Callable[[], Any] | None = None, description: str | None = None
) -> StrawberryField:
    """A key of an input object; `default` makes the value that stands for an absent one."""
    return _field(name, type_, meaning, strawberry.UNSET if default is None else default(), description)


def argument(name: str, type_: Any, meaning: Meaning, *, description: str | None = None) -> StrawberryArgument:
    return StrawberryArgument(name, name, StrawberryAnnotation(type_), description=description, metadata={MEANING: meaning})


def _field(name: str, type_: Any, meaning: Meaning, default: object, description: str | None) -> StrawberryField:
    annotation = StrawberryAnnotation(type_)
    metadata = {MEANING: meaning}
    return StrawberryField(name, name, annotation, default=default, description=description, metadata=metadata)


class Definitions:
    """Types by name. A type may be referred to before it is defined, as the types of two tables refer to each other."""

    def __init__(self, naming: Naming | None = None) -> None:
        self.naming = naming or Naming()
        self._types: dict[str, Any] = {}

    def of(self, table: TrackedTable, suffix: str = "") -> Any:
        """The class that stands for the type of a table: its row, `bool_exp`, `stddev_pop_fields`, …"""
        return self[self.naming.type_name(table.base, suffix)]

    def __getitem__(self, name: str) -> Any:
        """The (maybe still empty) class that stands for the type of this name."""
        if name not in self._types:
            self._types[name] = type(name, (), {})
        return self._types[name]

    def __contains__(self, name: str) -> bool:
        return hasattr(self._types.get(name), "__strawberry_definition__")

    def object_type(self, name: str, fields: Iterable[StrawberryField], *, description: str | None = None, is_input: bool = False) -> Any:
        """Defines an object type (or an input object) and returns its class."""
        origin = self[name]
        origin.__strawberry_definition__ = StrawberryObjectDefinition(
            name=name,
            is_input=is_input,
            is_interface=False,
            origin=origin,
            description=description,
            interfaces=[],
            extend=False,
            directives=(),
            is_type_of=None,
            resolve_type=None,
            fields=list(fields),
        )
        return origin

    def input(self, name: str, fields: Iterable[StrawberryField], *, description: str | None = None) -> Any:
        return self.object_type(name, fields, description=description, is_input=True)

    def stands_for(self, name: str, class_: type) -> None:
        """Makes `class_` the one that stands for the type of this name."""
        self._types[name] = class_

    def enum(
        self,
        name: str,
        values: Iterable[tuple[str, Any]],
        *,
        description: str | None = None,
        describe: Callable[[Any], str | None] | None = None,
    ) -> Any:
        """Defines an enum of (GraphQL name, what it stands for); `describe` says what the latter means."""
        origin = self[name]
        items = [EnumValue(graphql_name, value, description=describe(value) if describe else None) for graphql_name, value in values]
        origin.__strawberry_definition__ = StrawberryEnumDefinition(origin, name, items, description)
        return origin
