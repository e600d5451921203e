"""How much one request may ask for, and how much of that is spent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType

from permissions.errors import GraphQLRefusal
from permissions.session import ADMIN

# What a part of a request costs: about as many tenths of a millisecond to compile and to plan. What rows of a table cost depends
# on the role's rule for them (`resolvers/walk/rule_costs.py`).
FIELD = 1
VALUE = 1
# A root field written by hand.
HAND_WRITTEN = 12
# A member of a batch: what is done for it before it is looked at.
MEMBER = 5
# Bytes of a text that cost as much as a field: each time it is used it is sent to PostgreSQL again.
TEXT_BYTES = 128
# Elements of a list in the variables: they are bound as one value.
ELEMENTS = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """`depth`: levels of relationships, and of conditions inside conditions. `cost`: fields, tables and values of one operation.

    `answer_bytes`: the size of what tables answer to it, `admin_answer_bytes` when the role is admin, which exports whole tables.
    """

    depth: int = 20
    cost: int = 10_000
    answer_bytes: int = 4 << 20
    admin_answer_bytes: int = 64 << 20

    def answer_bytes_of(self, role: str) -> int:
        """The size of what tables answer to this role."""
        return max(self.answer_bytes, self.admin_answer_bytes) if role == ADMIN else self.answer_bytes


class TooLong(Exception):
    """More than may be done on the event loop: it belongs into the thread."""


@dataclass(slots=True)
class Budget:
    """What one operation has left; a fragment counts each time it is spread. `before` is what other members of its batch have spent.

    With `at_once` set, `TooLong` is raised for what costs more than that.
    """

    limits: Limits
    before: int = 0
    at_once: int | None = None
    spent: int = 0
    # Of that, what these values of the variables cost, and others of the same shape would not.
    on_values: int = 0
    depth: int = 0

    def spend(self, cost: int, path: str) -> None:
        """Raises validation-failed when it is too much."""
        self.spent += cost
        if self.before + self.spent > self.limits.cost:
            raise GraphQLRefusal("validation-failed", f"the query costs more than {self.limits.cost}; ask for less at once", path)
        if self.at_once is not None and self.spent > self.at_once:
            raise TooLong

    def spend_on_values(self, cost: int, path: str) -> None:
        """The same, for what a plan does not cost whoever comes with other values."""
        self.on_values += cost
        self.spend(cost, path)

    @contextmanager
    def deeper(self, path: str) -> Iterator[None]:
        """One level further inside a condition or an order."""
        if self.depth >= self.limits.depth:
            raise GraphQLRefusal("validation-failed", f"the query is nested deeper than {self.limits.depth} levels", path)
        self.depth += 1
        yield
        self.depth -= 1


class not_too_deep:  # noqa: N801 - it is used as a function is
    """The last line: what the levels above don't count (JSON inside JSON, fragments inside fragments) ends at Python's own stack.

    Every request passes it: a generator's context costs more.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, RecursionError):
            raise GraphQLRefusal("validation-failed", "the request is nested too deeply") from None
