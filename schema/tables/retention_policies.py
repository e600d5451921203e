"""How long recordings are kept."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import key, metadata

retention_policies = sa.Table(
    "nchat_retention_policies",
    metadata,
    key("The policy."),
    sa.Column("name", sa.Text, nullable=False, comment="Its name: free, pro, enterprise or a deployment's own."),
    sa.Column("retention_days", sa.Integer, nullable=False, comment="Days from the end of a recording until it is removed."),
    sa.Column("apply_to", sa.Text, nullable=False, server_default=sa.text("'all'"), comment="all, channel or user."),
    sa.Column("target_id", pg.UUID(), comment="The channel or user; null for all."),
    sa.CheckConstraint("retention_days > 0", name="retention_days"),
    sa.CheckConstraint("apply_to IN ('all', 'channel', 'user')", name="apply_to"),
    sa.CheckConstraint("(apply_to = 'all') = (target_id IS NULL)", name="target"),
    sa.UniqueConstraint("apply_to", "target_id"),
    sa.Index("nchat_retention_policies_one_name_for_all", "name", unique=True, postgresql_where=sa.text("target_id IS NULL")),
    comment="Retention of recordings.",
)
