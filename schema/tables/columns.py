"""The MetaData of all tables, PostgreSQL's own naming of constraints, and the columns that many tables share."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.model import Numbering

# The names PostgreSQL itself would give: they are what a client meets in `on_conflict` and in a uniqueness violation.
metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

METADATA_LIMIT_BYTES = 8192


def key(comment: str) -> sa.Column[Any]:
    """The uuid primary key `id`, filled by the database."""
    return sa.Column("id", pg.UUID(), primary_key=True, server_default=sa.text("gen_random_uuid()"), comment=comment)


def sealed(name: str, comment: str, *, nullable: bool = True) -> sa.Column[str]:
    """A secret, encrypted at rest; room for one of 255 characters. By this `nchat-rtc keys rotate` finds it, and no role may read it."""
    return sa.Column(name, sa.String(500), nullable=nullable, comment=comment, info={"sealed": True})


def sealed_columns() -> list[sa.Column[str]]:
    """Every column that `sealed` made, of all tables that were imported."""
    return [column for table in metadata.sorted_tables for column in table.columns if column.info.get("sealed")]


def moment(name: str, comment: str, *, nullable: bool = True, index: bool | None = None) -> sa.Column[Any]:
    """A point in time that is set when it happens."""
    return sa.Column(name, pg.TIMESTAMP(timezone=True), nullable=nullable, index=index, comment=comment)


def now(name: str, comment: str) -> sa.Column[Any]:
    """A point in time that defaults to the transaction's."""
    return sa.Column(name, pg.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()"), comment=comment)


def flag(name: str, comment: str, *, default: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text(str(default).lower()), comment=comment)


def numbered(room: str, column: str) -> dict[str, object]:
    """The `info` of a table whose rows take their number from a counter that stays locked until the commit."""
    return {"numbering": Numbering(room, column)}


def free_form(comment: str) -> sa.Column[Any]:
    """The `metadata` column: a client's own JSON, `{}` when not given."""
    return sa.Column("metadata", pg.JSONB, server_default=sa.text("'{}'::jsonb"), comment=comment)


def bounded_metadata() -> sa.CheckConstraint:
    """A role may write this `metadata`: 8 KB as text, so that a row stays a row."""
    return sa.CheckConstraint(f"octet_length(metadata::text) <= {METADATA_LIMIT_BYTES}", name="metadata_size")


def reference(
    name: str,
    target: str,
    comment: str,
    *,
    nullable: bool = False,
    primary_key: bool = False,
    index: bool | None = None,
    **foreign_key: Any,
) -> sa.Column[Any]:
    """A uuid that names a row of another table (`target` is `table.column`); options go to the foreign key."""
    return sa.Column(
        name,
        pg.UUID(),
        sa.ForeignKey(target, **foreign_key),
        nullable=nullable,
        primary_key=primary_key,
        index=index,
        comment=comment,
    )


def vocabulary(name: str, *labels: str) -> pg.ENUM:
    """A native PostgreSQL enum."""
    return pg.ENUM(*labels, name=name, metadata=metadata)
