"""Ten minutes before a planned stream its host and those who are invited are reminded of it, once."""

from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from domain.push_outbox import TOPIC
from domain.world import World

BEFORE: Final = timedelta(minutes=10)
BATCH: Final = 100
# Whose time has passed meanwhile is marked and not reminded of: nobody needs to know any more. Who was banned since stays out.
REMIND: Final = sa.text("""
    WITH due AS (
        SELECT stream.id FROM nchat_streams AS stream
        WHERE stream.status = 'scheduled' AND stream.reminded_at IS NULL AND stream.scheduled_at <= :soon
        ORDER BY stream.scheduled_at LIMIT :batch FOR NO KEY UPDATE SKIP LOCKED
    ), marked AS (
        UPDATE nchat_streams AS stream SET reminded_at = :now FROM due WHERE stream.id = due.id
        RETURNING stream.id, stream.title, stream.scheduled_at, stream.host_id, stream.channel_id, stream.visibility
    ), people AS (
        SELECT marked.id AS stream_id, marked.host_id AS user_id FROM marked
        UNION
        SELECT invite.stream_id, invite.user_id FROM marked JOIN nchat_stream_invites AS invite ON invite.stream_id = marked.id
        WHERE NOT EXISTS (
            SELECT FROM nchat_stream_bans AS ban
            WHERE ban.stream_id = invite.stream_id AND ban.user_id = invite.user_id AND ban.lifted_at IS NULL
        ) AND (marked.visibility <> 'channel_members' OR EXISTS (
            SELECT FROM nchat_channel_members AS member WHERE member.channel_id = marked.channel_id AND member.user_id = invite.user_id
        ))
    ), written AS (
        INSERT INTO nchat_push_outbox (user_id, kind, transport, next_attempt_at, expires_at, collapse_id, payload)
        SELECT people.user_id, 'stream_reminder', 'alert', :now, marked.scheduled_at, marked.id, jsonb_build_object(
            'streamId', marked.id, 'title', marked.title, 'scheduledAt', marked.scheduled_at)
        FROM people JOIN marked ON marked.id = people.stream_id
        WHERE marked.scheduled_at > :now
        RETURNING id
    )
    SELECT (SELECT count(*) FROM marked) AS marked, (SELECT count(*) FROM written) AS written
""").bindparams(sa.bindparam("now", type_=sa.TIMESTAMP(timezone=True)), sa.bindparam("soon", type_=sa.TIMESTAMP(timezone=True)))


async def remind(world: World) -> int:
    """Writes the pushes of every stream that is due; returns how many streams were. Several processes share them."""
    reminded: int = 0
    while True:
        now = world.clock.now()
        async with world.transaction("stream.remind") as tx:
            done = (await tx.connection.execute(REMIND, {"now": now, "soon": now + BEFORE, "batch": BATCH})).one()
            if done.written:
                tx.hint(TOPIC)
        marked: int = done.marked
        reminded += marked
        if marked < BATCH:
            return reminded
