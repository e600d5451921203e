"""What a stream's audience adds up to, kept by triggers for every writer. Never in GraphQL: it is read through the stream's row and its
events."""

import sqlalchemy as sa

from schema.tables.columns import flag, metadata, now, reference
from schema.tables.stream_reactions import reaction_type


def _number(name: str, comment: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text(str(default)), comment=comment)


# Apart from the stream's row: there each join would touch updated_at and re-run live queries. That row follows twice a second.
stream_tallies = sa.Table(
    "nchat_stream_tallies",
    metadata,
    reference("stream_id", "nchat_streams.id", "The stream.", primary_key=True, ondelete="CASCADE"),
    _number("viewers", "Viewers now."),
    _number("peak_viewers", "Most viewers at once."),
    _number("total_views", "Viewer sessions so far."),
    _number("total_reactions", "Reactions so far."),
    flag("told", "The stream's row says the same.", default=True),
    now("told_at", "When the stream's row was last written for it."),
    sa.Index("nchat_stream_tallies_untold_idx", "told_at", postgresql_where=sa.text("NOT told")),
    comment="Viewers and reactions of each stream, counted as they come and go.",
)

stream_reaction_totals = sa.Table(
    "nchat_stream_reaction_totals",
    metadata,
    reference("stream_id", "nchat_streams.id", "The stream.", primary_key=True, ondelete="CASCADE"),
    sa.Column("type", reaction_type, primary_key=True, comment="What the reactions say."),
    _number("total", "How many so far."),
    comment="Reactions of each stream by type.",
)

# A log that keeps only the last number of each kind: what was is told by nobody, what is stands in the stream's row.
stream_news = sa.Table(
    "nchat_stream_news",
    metadata,
    reference("stream_id", "nchat_streams.id", "The stream.", primary_key=True, ondelete="CASCADE"),
    _number("seq", "Number of the last change.", 3),
    _number("status_seq", "Number of the last change of its status.", 1),
    _number("viewers_seq", "Number of the last change of its viewers.", 2),
    _number("reactions_seq", "Number of the last change of its reactions.", 3),
    _number("host_seq", "Number of the last time that its host was lost or came back; 0 for never."),
    comment="What changed last of each stream, for those who follow its events.",
)
