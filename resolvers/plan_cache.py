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
# A parsed document takes about a hundred bytes for each character, a plan and its shape about as much for each unit of their cost:
# both together are the weight, and this is what all may weigh. A single huge document is compiled each time.
_WEIGHT = 1 << 19
_MAX_DOCUMENT = 16 * 1024
_WEIGHT_OF_SHAPES = 64 * 1024


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
        self.compiled.put(shape(variables, self.pins), planned, planned.cost)


class PlanCache:
    """The key is the role's view of the schema, the document, the operation's name, and the variables' shape."""

    def __init__(self) -> None:
        self._documents: LRU[Hashable, CachedDocument] = LRU(_DOCUMENTS, _WEIGHT)

    def document(self, view: Hashable, request: Request) -> CachedDocument | None:
        """The parsed operation; None when the document is new or forgotten."""
        return self._documents.get((view, request.query, request.operation_name))

    def keep(self, view: Hashable, request: Request, operation: Operation) -> CachedDocument:
        """The parsed operation, now known, unless the document is too long to be kept."""
        document = CachedDocument(operation, LRU(_SHAPES_PER_DOCUMENT, _WEIGHT_OF_SHAPES))
        if len(request.query) <= _MAX_DOCUMENT:
            self._documents.put((view, request.query, request.operation_name), document, len(request.query))
        return document

    def keep_plan(self, view: Hashable, request: Request, document: CachedDocument, planned: Planned) -> None:
        """The plan, as long as there is room for it and its document is known."""
        document.keep(request.variables, planned)
        key = (view, request.query, request.operation_name)
        if self._documents.get(key) is document:
            self._documents.put(key, document, len(request.query) + document.compiled.weight)
