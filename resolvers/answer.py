"""What came of one operation: the response, and what an operator counts by."""

from typing import NamedTuple

from permissions.errors import GraphQLRefusal
from resolvers.documents.document import Operation, OperationKind


class Answer(NamedTuple):
    """`body` is the complete response as JSON. `kind` and `name` are None where the document has no clear operation.

    `ran`: the operation had begun to run when it was refused.
    """

    body: bytes
    kind: OperationKind | None
    name: str | None = None
    refusal: GraphQLRefusal | None = None
    ran: bool = False

    @classmethod
    def refused(cls, refusal: GraphQLRefusal, operation: Operation | None = None, *, ran: bool = False) -> "Answer":
        """The response that is nothing but this refusal."""
        kind, name = (None, None) if operation is None else (operation.kind, operation.name)
        forget_frames(refusal)
        return cls(refusal.body(), kind, name, refusal, ran)


def forget_frames(error: BaseException) -> None:
    """An error's frames hold the whole request, and often the error: only the garbage collector would find them, and it comes seldom.

    Those of its causes too, which may go in circles.
    """
    seen, left = set[int](), [error]
    while left:
        one = left.pop()
        if id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = None
            left += [other for other in (one.__cause__, one.__context__) if other is not None]
