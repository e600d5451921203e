"""The terms of channels that people write at, ready to be asked: made once for each version that somebody settled."""

import asyncio
from collections import OrderedDict
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.streams.chat.terms.matching import BlockedTerms
from domain.world import Transaction
from schema.tables.channel_call_settings import channel_call_settings

# Channels of a process; those that nobody wrote at for the longest are made again when they are needed.
KEPT: Final = 256
BY_VERSION: Final = sa.select(channel_call_settings.c.terms_version, channel_call_settings.c.blocked_terms).where(
    channel_call_settings.c.channel_id == sa.bindparam("channel")
)


class ChannelTerms:
    """By version, which is of one channel and one list of terms: what was settled anew is another version."""

    def __init__(self) -> None:
        self._made: OrderedDict[UUID, BlockedTerms] = OrderedDict()

    async def of(self, tx: Transaction, channel_id: UUID, version: UUID) -> BlockedTerms:
        """Those of the channel: of this version, or of a newer one."""
        known = self._made.get(version)
        if known is not None:
            self._made.move_to_end(version)
            return known
        row = (await tx.connection.execute(BY_VERSION, {"channel": channel_id})).first()
        if row is None:
            return BlockedTerms(())
        # A thousand long terms take longer than the event loop may be held.
        made = self._made[row.terms_version] = await asyncio.to_thread(BlockedTerms, row.blocked_terms)
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        return made


CHANNEL_TERMS: Final = ChannelTerms()
