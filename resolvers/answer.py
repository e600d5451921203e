"""What came of one operation: the response, and what an operator counts by."""

from typing import NamedTuple

from permissions.errors import GraphQLRefusal
from resolvers.documents.document import Operation, OperationKind


class Answer(NamedTuple):
    """`body` is the complete response as JSON. `kind` and `name` are None where the document has no clear operation."""

    body: bytes
    kind: OperationKind | None
    name: str | None = None
    refusal: GraphQLRefusal | None = None

    @classmethod
    def refused(cls, refusal: GraphQLRefusal, operation: Operation | None = None) -> "Answer":
        """The response that is nothing but this refusal."""
        kind, name = (None, None) if operation is None else (operation.kind, operation.name)
        forget_frames(refusal)
        return cls(refusal.body(), kind, name, refusal)


def forget_frames(error: BaseException | None) -> None:
    """An error's frames hold the whole request, and often the error: only the garbage collector would find them, and it comes seldom."""
    forgotten = set[int]()
    # What was raised while another was handled may lead back to it.
    while error is not None and id(error) not in forgotten:
        forgotten.add(id(error))
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
