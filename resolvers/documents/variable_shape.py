"""What of a request's variables a compiled plan depends on: everything but the leaves that are bound as parameters."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from resolvers.documents.exact_json import json_text

# Keys of objects as they are; "*" stands for every index of a list.
VariablePath = tuple[str | int, ...]

# A page size up to this is written into the SQL text: PostgreSQL then plans for it. A larger one is a parameter.
LITERAL_LIMIT = 1000


# No input object of a schema is nested like this; what is JSON, and its text tells it apart.
_DEEPEST = 100


def pattern(path: VariablePath) -> tuple[str, ...]:
    """A path with list indices replaced by `*`: a type, not a value, decides what stands there."""
    return tuple("*" if isinstance(step, int) else step for step in path)


@dataclass(slots=True)
class Pins:
    """Paths whose values are compiled in (`exact`), whole (`opaque`: lists and JSON bound as one parameter), or page sizes."""

    exact: set[tuple[str, ...]] = field(default_factory=set)
    opaque: set[tuple[str, ...]] = field(default_factory=set)
    limits: set[tuple[str, ...]] = field(default_factory=set)

    def merge(self, other: "Pins") -> None:
        self.exact |= other.exact
        self.opaque |= other.opaque
        self.limits |= other.limits


def shape(variables: Mapping[str, Any], pins: Pins) -> Hashable:
    """A key: two requests of one document with equal shapes run the same plan with other parameters.

    Null and absent never look alike, and neither do objects with different keys or lists of different lengths. The type that
    stands at a path follows from the document and the path alone, so a plan that was compiled for a shape has its pins known.
    """
    return tuple((name, _shape(value, pins, (name,))) for name, value in variables.items())


def _shape(value: Any, pins: Pins, path: tuple[str, ...]) -> Hashable:
    if value is None:
        return None
    if path in pins.exact:
        return json_text(value)
    if path in pins.limits:
        return (type(value).__name__, value if isinstance(value, int) and value <= LITERAL_LIMIT else None)
    if path in pins.opaque:
        return "*"
    if len(path) > _DEEPEST:
        return json_text(value)
    if isinstance(value, dict):
        return tuple((name, _shape(item, pins, (*path, name))) for name, item in value.items())
    if isinstance(value, list):
        inner = (*path, "*")
        return ("[]", *[_shape(item, pins, inner) for item in value])
    return "*"
