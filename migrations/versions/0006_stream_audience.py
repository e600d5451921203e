"""Who watches a stream, reacts, is invited or banned."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, UUID, create_enums, drop_enums, enum, limit_lock_wait

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

VOCABULARIES = {
    "reaction_type": ("like", "love", "fire", "clap", "wow", "laugh", "sad"),
}


def upgrade() -> None:
    limit_lock_wait()
    create_enums(VOCABULARIES)
    create_stream_viewers()
    create_stream_reactions()
    create_stream_invites()
    create_stream_bans()


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table("nchat_stream_bans")
    op.drop_table("nchat_stream_invites")
    op.drop_table("nchat_stream_reactions")
    op.drop_table("nchat_stream_viewers")
    drop_enums(VOCABULARIES)


def create_stream_viewers() -> None:
    op.create_table(
        "nchat_stream_viewers",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The viewing session's row."),
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("user_id", UUID, comment="The viewer; null when anonymous."),
        sa.Column("session_id", sa.String(length=255), nullable=False, comment="Hash of the session's secret id."),
        sa.Column("joined_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When watching began."),
        sa.Column("left_at", TIMESTAMP, comment="When watching ended."),
        sa.Column("watch_duration", sa.Integer(), comment="Time watched, in seconds."),
        sa.Column("device_type", sa.String(length=50), comment="Kind of device, as the client says."),
        sa.Column("connection_quality", enum("connection_quality"), comment="As last reported; null when unknown."),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name="nchat_stream_viewers_stream_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name="nchat_stream_viewers_user_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="nchat_stream_viewers_pkey"),
        sa.UniqueConstraint("stream_id", "session_id", name="nchat_stream_viewers_stream_id_session_id_key"),
        comment="Viewers of streams.",
    )
    op.create_index("nchat_stream_viewers_session_id_idx", "nchat_stream_viewers", ["session_id"])
    op.create_index("nchat_stream_viewers_stream_id_idx", "nchat_stream_viewers", ["stream_id"])
    op.create_index("nchat_stream_viewers_user_id_idx", "nchat_stream_viewers", ["user_id"])


def create_stream_reactions() -> None:
    op.create_table(
        "nchat_stream_reactions",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The reaction."),
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("user_id", UUID, nullable=False, comment="Who reacted."),
        sa.Column("type", enum("reaction_type"), nullable=False, comment="What it says."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When it was sent."),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name="nchat_stream_reactions_stream_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name="nchat_stream_reactions_user_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="nchat_stream_reactions_pkey"),
        comment="Reactions to streams.",
    )
    op.create_index("nchat_stream_reactions_stream_id_created_at_idx", "nchat_stream_reactions", ["stream_id", "created_at"])
    op.create_index("nchat_stream_reactions_stream_id_idx", "nchat_stream_reactions", ["stream_id"])
    op.create_index("nchat_stream_reactions_user_id_idx", "nchat_stream_reactions", ["user_id"])


def create_stream_invites() -> None:
    op.create_table(
        "nchat_stream_invites",
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("user_id", UUID, nullable=False, comment="The invited person."),
        sa.Column("invited_by", UUID, nullable=False, comment="Who invited."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When the invitation was made."),
        sa.ForeignKeyConstraint(["invited_by"], ["nchat_users.id"], name="nchat_stream_invites_invited_by_fkey"),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name="nchat_stream_invites_stream_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name="nchat_stream_invites_user_id_fkey"),
        sa.PrimaryKeyConstraint("stream_id", "user_id", name="nchat_stream_invites_pkey"),
        comment="Invitations to streams.",
    )
    op.create_index("nchat_stream_invites_invited_by_idx", "nchat_stream_invites", ["invited_by"])
    op.create_index("nchat_stream_invites_user_id_stream_id_idx", "nchat_stream_invites", ["user_id", "stream_id"])


def create_stream_bans() -> None:
    op.create_table(
        "nchat_stream_bans",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The ban."),
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("user_id", UUID, nullable=False, comment="The banned person."),
        sa.Column("banned_by", UUID, nullable=False, comment="Who banned."),
        sa.Column("reason", sa.Text(), comment="Why."),
        sa.Column("expires_at", TIMESTAMP, comment="When it ends by itself; null is never."),
        sa.Column("lifted_at", TIMESTAMP, comment="When it was lifted or ran out; null while it holds."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When the ban was made."),
        sa.ForeignKeyConstraint(["banned_by"], ["nchat_users.id"], name="nchat_stream_bans_banned_by_fkey"),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name="nchat_stream_bans_stream_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name="nchat_stream_bans_user_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="nchat_stream_bans_pkey"),
        comment="Bans from streams.",
    )
    op.create_index("nchat_stream_bans_banned_by_idx", "nchat_stream_bans", ["banned_by"])
    op.create_index("nchat_stream_bans_expiring_idx", "nchat_stream_bans", ["expires_at"], postgresql_where=sa.text("lifted_at IS NULL"))
    op.create_index(
        "nchat_stream_bans_one_unlifted",
        "nchat_stream_bans",
        ["stream_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_index("nchat_stream_bans_stream_id_idx", "nchat_stream_bans", ["stream_id"])
    op.create_index("nchat_stream_bans_user_id_idx", "nchat_stream_bans", ["user_id"])
