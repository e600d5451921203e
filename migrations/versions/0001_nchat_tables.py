"""nchat's own tables, each only where the deployment does not have it."""

import sqlalchemy as sa
from alembic import op

from migrations.ownership import claim, created_by_us
from migrations.shorthand import UUID, limit_lock_wait

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_lock_wait()
    present = set(sa.inspect(op.get_bind()).get_table_names(schema="public"))
    for table, create in CREATE.items():
        if table not in present:
            create()
            claim(op.get_bind(), table)


def downgrade() -> None:
    limit_lock_wait()
    ours = created_by_us(op.get_bind())
    for table in reversed(CREATE):
        if table in ours:
            op.drop_table(table)


def create_users() -> None:
    op.create_table(
        "nchat_users",
        sa.Column(
            "id",
            UUID,
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
            comment="The user; the subject of the token and the participant's identity in LiveKit.",
        ),
        sa.Column("username", sa.Text(), nullable=False, comment="Unique short name."),
        sa.Column("display_name", sa.Text(), comment="Name shown to people."),
        sa.Column("avatar_url", sa.Text(), comment="Address of the picture."),
        sa.PrimaryKeyConstraint("id", name="nchat_users_pkey"),
        sa.UniqueConstraint("username", name="nchat_users_username_key"),
        comment="People of the deployment.",
    )


def create_channels() -> None:
    op.create_table(
        "nchat_channels",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The channel."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the channel."),
        sa.PrimaryKeyConstraint("id", name="nchat_channels_pkey"),
        comment="Channels of the chat product.",
    )


def create_channel_members() -> None:
    op.create_table(
        "nchat_channel_members",
        sa.Column("channel_id", UUID, nullable=False, comment="The channel."),
        sa.Column("user_id", UUID, nullable=False, comment="The member."),
        sa.Column("role", sa.Text(), server_default=sa.text("'member'"), nullable=False, comment="owner, admin, moderator or member."),
        sa.CheckConstraint("role IN ('owner', 'admin', 'moderator', 'member')", name=op.f("nchat_channel_members_role_check")),
        sa.ForeignKeyConstraint(["channel_id"], ["nchat_channels.id"], name="nchat_channel_members_channel_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name="nchat_channel_members_user_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("channel_id", "user_id", name="nchat_channel_members_pkey"),
        comment="Members of channels.",
    )
    op.create_index("nchat_channel_members_user_id_channel_id_idx", "nchat_channel_members", ["user_id", "channel_id"])


CREATE = {"nchat_users": create_users, "nchat_channels": create_channels, "nchat_channel_members": create_channel_members}
