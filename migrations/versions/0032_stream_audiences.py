"""What a stream's audience adds up to: counted by triggers as viewers and reactions come, whoever writes them."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, UUID, enum, limit_lock_wait

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

IN_ROOM = "webrtc AND left_at IS NOT NULL AND out_of_room_at IS NULL"
TABLES = ("nchat_stream_tallies", "nchat_stream_reaction_totals", "nchat_stream_news")
VIEWER_COLUMNS = ("role", "seen_at", "webrtc", "out_of_room_at")

FILL = (
    "UPDATE nchat_stream_viewers SET role = CASE WHEN user_id IS NULL THEN 'anonymous' ELSE 'user' END, seen_at = joined_at",
    """
    INSERT INTO nchat_stream_tallies (stream_id, viewers, peak_viewers, total_views, total_reactions, told)
    SELECT stream.id, watching.now, greatest(stream.peak_viewers, watching.now), watching.ever, reacted.total, false
    FROM nchat_streams AS stream
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE left_at IS NULL) AS now, count(*) AS ever FROM nchat_stream_viewers WHERE stream_id = stream.id
    ) AS watching
    CROSS JOIN LATERAL (SELECT count(*) AS total FROM nchat_stream_reactions WHERE stream_id = stream.id) AS reacted
    """,
    """
    INSERT INTO nchat_stream_reaction_totals (stream_id, type, total)
    SELECT stream_id, type, count(*) FROM nchat_stream_reactions GROUP BY stream_id, type
    """,
    "INSERT INTO nchat_stream_news (stream_id) SELECT id FROM nchat_streams",
)


def counted(changed: str) -> str:
    """The body that adds `changed` (stream_id, there, many: who watches more than before, and sessions that are new) to the tallies.

    Rows of several streams are always locked in the order of their ids, tallies before news: no two writers wait for each other.
    """
    return f"""
        PERFORM FROM public.nchat_stream_tallies WHERE stream_id IN (SELECT stream_id FROM ({changed}) AS changed)
        ORDER BY stream_id FOR UPDATE;
        UPDATE public.nchat_stream_tallies AS tally SET
            viewers = tally.viewers + there,
            peak_viewers = greatest(tally.peak_viewers, tally.viewers + there),
            total_views = tally.total_views + many,
            told = false
        FROM ({changed}) AS changed WHERE tally.stream_id = changed.stream_id;
    """


# Transition tables are named `was` and `became`.
BODIES = {
    "nchat_stream_begins": """
        INSERT INTO public.nchat_stream_tallies (stream_id, told) VALUES (NEW.id, false);
        INSERT INTO public.nchat_stream_news (stream_id) VALUES (NEW.id);
    """,
    "nchat_stream_changes": """
        PERFORM FROM public.nchat_stream_news WHERE stream_id IN (
            SELECT id FROM was JOIN became USING (id)
            WHERE became.status <> was.status OR became.viewer_count <> was.viewer_count
               OR (became.host_gone_since IS NULL) <> (was.host_gone_since IS NULL)
        ) ORDER BY stream_id FOR UPDATE;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        UPDATE public.nchat_stream_news AS news SET
            seq = news.seq + status + viewers + host,
            status_seq = CASE status WHEN 1 THEN news.seq + 1 ELSE news.status_seq END,
            viewers_seq = CASE viewers WHEN 1 THEN news.seq + status + 1 ELSE news.viewers_seq END,
            host_seq = CASE host WHEN 1 THEN news.seq + status + viewers + 1 ELSE news.host_seq END
        FROM (
            SELECT id, (became.status <> was.status)::integer AS status, (became.viewer_count <> was.viewer_count)::integer AS viewers,
                ((became.host_gone_since IS NULL) <> (was.host_gone_since IS NULL))::integer AS host
            FROM was JOIN became USING (id)
        ) AS changed
        WHERE news.stream_id = changed.id AND status + viewers + host > 0;
    """,
    "nchat_stream_viewers_come": counted(
        "SELECT stream_id, count(*) FILTER (WHERE left_at IS NULL) AS there, count(*) AS many FROM became GROUP BY stream_id"
    ),
    "nchat_stream_viewers_change": counted(
        """SELECT became.stream_id, sum((became.left_at IS NULL)::integer - (was.left_at IS NULL)::integer) AS there, 0 AS many
        FROM was JOIN became USING (id) WHERE (became.left_at IS NULL) <> (was.left_at IS NULL) GROUP BY became.stream_id"""
    ),
    "nchat_stream_viewers_go": counted("SELECT stream_id, -count(*) AS there, 0 AS many FROM was WHERE left_at IS NULL GROUP BY stream_id"),
    "nchat_stream_reactions_come": """
        INSERT INTO public.nchat_stream_reaction_totals AS known (stream_id, type, total)
        SELECT stream_id, type, count(*) FROM became GROUP BY stream_id, type ORDER BY stream_id, type
        ON CONFLICT (stream_id, type) DO UPDATE SET total = known.total + excluded.total;
        PERFORM FROM public.nchat_stream_tallies WHERE stream_id IN (SELECT stream_id FROM became) ORDER BY stream_id FOR UPDATE;
        UPDATE public.nchat_stream_tallies AS tally SET total_reactions = tally.total_reactions + many, told = false
        FROM (SELECT stream_id, count(*) AS many FROM became GROUP BY stream_id) AS added WHERE tally.stream_id = added.stream_id;
        PERFORM FROM public.nchat_stream_news WHERE stream_id IN (SELECT stream_id FROM became) ORDER BY stream_id FOR UPDATE;
        UPDATE public.nchat_stream_news AS news SET seq = news.seq + 1, reactions_seq = news.seq + 1
        WHERE stream_id IN (SELECT stream_id FROM became);
    """,
}
COMMENTS = {
    "nchat_stream_begins": "A new stream has nobody who watches, and its first news.",
    "nchat_stream_changes": "What its events tell of a stream gets a new number.",
    "nchat_stream_viewers_come": "New sessions are counted.",
    "nchat_stream_viewers_change": "Sessions that end, or begin again, are counted.",
    "nchat_stream_viewers_go": "Sessions whose rows are removed watch no more; they stay among the views.",
    "nchat_stream_reactions_come": "Reactions are counted, all and by type.",
}
OLD, NEW = "OLD TABLE AS was", "NEW TABLE AS became"
TRIGGERS = {
    "nchat_stream_begins": "AFTER INSERT ON nchat_streams FOR EACH ROW",
    "nchat_stream_changes": f"AFTER UPDATE ON nchat_streams REFERENCING {OLD} {NEW} FOR EACH STATEMENT",
    "nchat_stream_viewers_come": f"AFTER INSERT ON nchat_stream_viewers REFERENCING {NEW} FOR EACH STATEMENT",
    "nchat_stream_viewers_change": f"AFTER UPDATE ON nchat_stream_viewers REFERENCING {OLD} {NEW} FOR EACH STATEMENT",
    "nchat_stream_viewers_go": f"AFTER DELETE ON nchat_stream_viewers REFERENCING {OLD} FOR EACH STATEMENT",
    "nchat_stream_reactions_come": f"AFTER INSERT ON nchat_stream_reactions REFERENCING {NEW} FOR EACH STATEMENT",
}


def upgrade() -> None:
    limit_lock_wait()
    extend_viewers()
    create_tallies()
    create_reaction_totals()
    create_news()
    for statement in FILL:
        op.execute(statement)
    for name, body in BODIES.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$")
        op.execute(f"COMMENT ON FUNCTION {name} IS '{COMMENTS[name]}'")
    for name, when in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {name}()")


def downgrade() -> None:
    limit_lock_wait()
    for name, when in TRIGGERS.items():
        op.execute(f"DROP TRIGGER {name} ON {when.split()[3]}")
        op.execute(f"DROP FUNCTION {name}")
    for table in TABLES:
        op.drop_table(table)
    for index in ("watching_idx", "in_room_idx"):
        op.drop_index(f"nchat_stream_viewers_{index}", "nchat_stream_viewers")
    for column in VIEWER_COLUMNS:
        op.drop_column("nchat_stream_viewers", column)


def extend_viewers() -> None:
    table = "nchat_stream_viewers"
    op.add_column(
        table, sa.Column("role", sa.Text(), server_default=sa.text("'user'"), nullable=False, comment="The role that was let in.")
    )
    seen = "When the session last said that it watches."
    op.add_column(table, sa.Column("seen_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment=seen))
    webrtc = "Was given a way into the stream's room."
    op.add_column(table, sa.Column("webrtc", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment=webrtc))
    out = "When LiveKit confirmed that this ended session is not in the room."
    op.add_column(table, sa.Column("out_of_room_at", TIMESTAMP, comment=out))
    op.create_index("nchat_stream_viewers_watching_idx", table, ["stream_id"], postgresql_where=sa.text("left_at IS NULL"))
    op.create_index("nchat_stream_viewers_in_room_idx", table, ["left_at"], postgresql_where=sa.text(IN_ROOM))


def number(name: str, comment: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text(str(default)), nullable=False, comment=comment)


def of_stream(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name=f"{table}_stream_id_fkey", ondelete="CASCADE")


def create_tallies() -> None:
    op.create_table(
        "nchat_stream_tallies",
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        number("viewers", "Viewers now."),
        number("peak_viewers", "Most viewers at once."),
        number("total_views", "Viewer sessions so far."),
        number("total_reactions", "Reactions so far."),
        sa.Column("told", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="The stream's row says the same."),
        sa.Column(
            "told_at",
            TIMESTAMP,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the stream's row was last written for it.",
        ),
        of_stream("nchat_stream_tallies"),
        sa.PrimaryKeyConstraint("stream_id", name="nchat_stream_tallies_pkey"),
        comment="Viewers and reactions of each stream, counted as they come and go.",
    )
    op.create_index("nchat_stream_tallies_untold_idx", "nchat_stream_tallies", ["told_at"], postgresql_where=sa.text("NOT told"))


def create_reaction_totals() -> None:
    op.create_table(
        "nchat_stream_reaction_totals",
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("type", enum("reaction_type"), nullable=False, comment="What the reactions say."),
        number("total", "How many so far."),
        of_stream("nchat_stream_reaction_totals"),
        sa.PrimaryKeyConstraint("stream_id", "type", name="nchat_stream_reaction_totals_pkey"),
        comment="Reactions of each stream by type.",
    )


def create_news() -> None:
    op.create_table(
        "nchat_stream_news",
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        number("seq", "Number of the last change.", 3),
        number("status_seq", "Number of the last change of its status.", 1),
        number("viewers_seq", "Number of the last change of its viewers.", 2),
        number("reactions_seq", "Number of the last change of its reactions.", 3),
        number("host_seq", "Number of the last time that its host was lost or came back; 0 for never."),
        of_stream("nchat_stream_news"),
        sa.PrimaryKeyConstraint("stream_id", name="nchat_stream_news_pkey"),
        comment="What changed last of each stream, for those who follow its events.",
    )
