"""GraphQL text: values as literals, or as variables of their types."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any


class Word(str):
    """A value that is a name: of an order, a column, a constraint."""


@dataclass(slots=True)
class Document:
    """A field's arguments, each now a literal and now a variable."""

    rng: Random
    types: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def arguments(self, given: dict[str, tuple[str, Any]]) -> str:
        """`given` is the type and the value by name."""
        if not given:
            return ""
        return f"({', '.join(f'{name}: {self._value(type_, value)}' for name, (type_, value) in given.items())})"

    def text(self, kind: str, root: str) -> str:
        declared = f"({', '.join(f'${name}: {type_}' for name, type_ in self.types.items())})" if self.types else ""
        return f"{kind} {declared} {{ {root} }}"

    def _value(self, type_: str, value: Any) -> str:
        if self.rng.random() < 0.5:
            return literal(value)
        name = f"v{len(self.types)}"
        self.types[name], self.values[name] = type_, value
        return f"${name}"


def literal(value: Any) -> str:
    match value:
        case Word():
            return str(value)
        case dict():
            return f"{{{', '.join(f'{name}: {literal(part)}' for name, part in value.items())}}}"
        case list():
            return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value)
