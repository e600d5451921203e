"""Which of nchat's own tables we created: a deployment has them already, and what it has we never drop."""

import sqlalchemy as sa

nchat_tables = frozenset({"nchat_users", "nchat_channels", "nchat_channel_members"})

# Said in a comment on the primary key: it travels with dumps, which a row of bookkeeping elsewhere might not,
# and unlike the table's own comment nobody shows it.
MARK = "created by nchat-rtc"

_MARKED = sa.text("""
    SELECT conrelid::regclass::text FROM pg_constraint
    WHERE contype = 'p' AND connamespace = 'public'::regnamespace AND obj_description(oid, 'pg_constraint') = :mark
""")


def created_by_us(connection: sa.Connection) -> frozenset[str]:
    """Those of nchat's tables that carry our mark."""
    return nchat_tables & frozenset(connection.scalars(_MARKED, {"mark": MARK}))


def claim(connection: sa.Connection, table: str) -> None:
    """Marks a table that we have just created (`table` is one of ours, never a client's text)."""
    connection.execute(sa.text(f"COMMENT ON CONSTRAINT {table}_pkey ON {table} IS '{MARK}'"))
