"""nchat's users: the part of them that calls and streams show. A deployment's own table has more columns."""

import sqlalchemy as sa

from schema.tables.columns import key, metadata

users = sa.Table(
    "nchat_users",
    metadata,
    key("The user; the subject of the token and the participant's identity in LiveKit."),
    sa.Column("username", sa.Text, nullable=False, unique=True, comment="Unique short name."),
    sa.Column("display_name", sa.Text, comment="Name shown to people."),
    sa.Column("avatar_url", sa.Text, comment="Address of the picture."),
    comment="People of the deployment.",
)
