"""How much the metadata lets the roles ask for: Hasura Cloud's `api_limits`. They hold for every role but admin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from permissions.session import ADMIN

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Operations a minute of one role; of each of its addresses, or of each value of these session variables, where they are told apart."""

    most: int
    by_address: bool = False
    by_variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiLimit(Generic[T]):
    """One limit: of everybody, and of those roles that have one of their own."""

    everybody: T
    roles: Mapping[str, T] = field(default_factory=dict)


def limit_of(limit: ApiLimit[T] | None, role: str) -> T | None:
    """What holds for the role; a role that no metadata knows has the limit of everybody, and admin none."""
    return None if limit is None or role == ADMIN else limit.roles.get(role, limit.everybody)


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """All limits of the metadata; None where it has none of a kind. A node is a field with fields below it, depth counts nodes in nodes."""

    depth: ApiLimit[int] | None = None
    nodes: ApiLimit[int] | None = None
    seconds: ApiLimit[float] | None = None
    batch: ApiLimit[int] | None = None
    rate: ApiLimit[RateLimit] | None = None
