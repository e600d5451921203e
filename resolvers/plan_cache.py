"""Compiled operations by document and by the shape of their variables."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from resolvers.compiled import Compiled
from resolvers.documents.document import Operation
from resolvers.documents.lru import LRU
from resolvers.documents.request import Request
from resolvers.documents.variable_shape import Pins, shape

_DOCUMENTS = 1_000
_SHAPES_PER_DOCUMENT = 50
# A parsed and compiled document takes about a hundred times the memory of its text. A single huge one is compiled each time.
_CHARACTERS = 1 << 20
_MAX_DOCUMENT = 16 * 1024
# Of long documents fewer plans are kept, for they are long too.
_CHARACTERS_OF_SHAPES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Planned:
    """A compiled operation, what it has cost of its budget, and which variables it depends on."""

    compiled: Compiled
    cost: int
    pins: Pins


@dataclass(slots=True)
class CachedDocument:
    """One operation as one role sees it; `pins` grows with every new shape that is compiled."""

    operation: Operation
    compiled: LRU[Hashable, Planned]
    pins: Pins = field(default_factory=Pins)

    def planned(self, variables: Mapping[str, Any]) -> Planned | None:
        """What these variables were compiled to; None for a shape that is new or forgotten."""
        return self.compiled.get(shape(variables, self.pins))

    def keep(self, variables: Mapping[str, Any], planned: Planned) -> None:
        """The plan serves all variables of this shape from now on."""
        self.pins.merge(planned.pins)
        self.compiled.put(shape(variables, self.pins), planned)


class PlanCache:
    """The key is the role's view of the schema, the document, the operation's name, and the variables' shape."""

    def __init__(self) -> None:
        self._documents: LRU[Hashable, CachedDocument] = LRU(_DOCUMENTS, _CHARACTERS)

    def document(self, view: Hashable, request: Request) -> CachedDocument | None:
        """The parsed operation; None when the document is new or forgotten."""
        return self._documents.get((view, request.query, request.operation_name))

    def keep(self, view: Hashable, request: Request, operation: Operation) -> CachedDocument:
        """The parsed operation, now known, unless the document is too long to be kept."""
        length = max(1, len(request.query))
        shapes = min(_SHAPES_PER_DOCUMENT, max(1, _CHARACTERS_OF_SHAPES // length))
        document = CachedDocument(operation, LRU(shapes))
        if length <= _MAX_DOCUMENT:
            self._documents.put((view, request.query, request.operation_name), document, length)
        return document
