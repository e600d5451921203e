"""A person as feeds show one."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from schema.tables.users import users


@dataclass(frozen=True, slots=True)
class Person:
    id: UUID
    display_name: str | None
    avatar_url: str | None


def columns(prefix: str) -> list[sa.Label[object]]:
    """The columns of a person in a statement that joins `nchat_users`."""
    return [users.c[name].label(f"{prefix}_{name}") for name in ("id", "display_name", "avatar_url")]


def person(row: sa.RowMapping, prefix: str) -> Person | None:
    """The person of such a row; None where nobody was joined."""
    if row[f"{prefix}_id"] is None:
        return None
    return Person(row[f"{prefix}_id"], row[f"{prefix}_display_name"], row[f"{prefix}_avatar_url"])


def moment(column: sa.ColumnElement[object]) -> sa.ColumnElement[str]:
    """A point in time as PostgreSQL writes it in JSON, as the tables show it."""
    return sa.func.to_jsonb(column).op("#>>")(sa.text("'{}'"))
