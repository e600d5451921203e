"""STUN and TURN servers beside those of the settings."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import key, metadata, moment, now, sealed

ice_servers = sa.Table(
    "nchat_ice_servers",
    metadata,
    key("The server entry."),
    sa.Column("urls", pg.ARRAY(sa.Text), nullable=False, comment="stun:, turn: and turns: addresses."),
    sa.Column("username", sa.String(255), comment="Fixed user name, when the server has no shared secret."),
    sealed("credential_encrypted", "Its password, encrypted at rest."),
    sa.Column("region", sa.String(50), index=True, comment="Region it serves; null is everywhere."),
    sa.Column("priority", sa.Integer, nullable=False, server_default=sa.text("0"), index=True, comment="Higher comes first."),
    sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.text("true"), index=True, comment="Given to clients."),
    moment("last_health_check", "When it was last looked at."),
    sa.Column("health_status", sa.String(20), server_default=sa.text("'unknown'"), comment="What the last look found."),
    now("created_at", "When the row was written."),
    now("updated_at", "When the row last changed; kept by a trigger."),
    comment="STUN and TURN servers.",
)
