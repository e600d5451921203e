"""Classes as GraphQL types with camelCase fields, as actions have them; tables keep their snake_case."""

from collections.abc import Callable
from inspect import cleandoc
from typing import Any, TypeVar, dataclass_transform

import strawberry
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.utils.str_converters import to_camel_case

T = TypeVar("T")


@dataclass_transform(field_specifiers=(strawberry.field,))
def camel_type(type_: type[T]) -> type[T]:
    """A GraphQL object type."""
    return _renamed(strawberry.type, type_)


@dataclass_transform(field_specifiers=(strawberry.field,))
def camel_input(type_: type[T]) -> type[T]:
    """A GraphQL input object; a field with a default may be left out, which means the same as null."""
    renamed = _renamed(strawberry.input, type_)
    definition: StrawberryObjectDefinition = renamed.__strawberry_definition__  # type: ignore[attr-defined]
    for field in definition.fields:
        # The schema shows an optional field, as Hasura does, and no `= null`; the class still fills it in.
        field.default = field.default_value = strawberry.UNSET if field.default is None else field.default
    return renamed


def _renamed(decorate: Callable[..., Any], type_: type[T]) -> type[T]:
    description = cleandoc(type_.__doc__ or "") or None
    decorated: type[T] = decorate(type_, description=description)
    definition: StrawberryObjectDefinition = decorated.__strawberry_definition__  # type: ignore[attr-defined]
    for field in definition.fields:
        field.graphql_name = field.graphql_name or to_camel_case(field.python_name)
    return decorated
