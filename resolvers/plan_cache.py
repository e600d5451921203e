"""Compiled operations by document and by the shape of their variables."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from resolvers.compiled import Compiled
from resolvers.documents.document import Operation, read_operation
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


@dataclass(slots=True)
class CachedDocument:
    """One operation as one role sees it; `pins` grows with every new shape that is compiled."""

    operation: Operation
    compiled: LRU[Hashable, Compiled]
    pins: Pins = field(default_factory=Pins)


class PlanCache:
    """The key is the role's view of the schema, the document, the operation's name, and the variables' shape."""

    def __init__(self) -> None:
        self._documents: LRU[Hashable, CachedDocument] = LRU(_DOCUMENTS, _CHARACTERS)

    def document(self, view: Hashable, request: Request) -> CachedDocument:
        """The parsed operation; raises validation-failed for a document without a clear one."""
        key = (view, request.query, request.operation_name)
        document = self._documents.get(key)
        if document is None:
            length = max(1, len(request.query))
            shapes = min(_SHAPES_PER_DOCUMENT, max(1, _CHARACTERS_OF_SHAPES // length))
            document = CachedDocument(read_operation(request.query, request.operation_name), LRU(shapes))
            if length <= _MAX_DOCUMENT:
                self._documents.put(key, document, length)
        return document

    def compiled(
        self, document: CachedDocument, variables: Mapping[str, Any], compile_: Callable[[Operation], tuple[Compiled, Pins]]
    ) -> Compiled:
        """The plan for these variables, compiled at most once a shape."""
        known = document.compiled.get(shape(variables, document.pins))
        if known is not None:
            return known
        compiled, pins = compile_(document.operation)
        document.pins.merge(pins)
        document.compiled.put(shape(variables, document.pins), compiled)
        return compiled
