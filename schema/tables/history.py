"""Which history the database is of."""

from typing import Final

import sqlalchemy as sa

from schema.tables.columns import metadata, now

# Of which history the database is, in SQL. A dump brings the mark of its time along, and a table that was restored from one is another.
EPOCH: Final = "left(md5(nchat_history_epoch() || to_regclass('public.nchat_history')::oid), 16)"

history = sa.Table(
    "nchat_history",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.text("true"), comment="There is one row."),
    sa.Column(
        "mark",
        sa.Uuid,
        nullable=False,
        server_default=sa.text("gen_random_uuid()"),
        comment="A random value; nchat-rtc restored writes it anew.",
    ),
    now("restored_at", "When that was."),
    sa.CheckConstraint("one", name="one_row"),
    comment="The history of this database; a restore to an older state begins another one.",
)
