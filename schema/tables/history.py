"""Which history the database is of."""

import sqlalchemy as sa

from schema.tables.columns import metadata, now

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
