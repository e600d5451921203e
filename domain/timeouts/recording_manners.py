"""Recordings that begin by themselves, people who did not agree to one, and recordings whose hosts are gone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.repairs import Repair
from domain.ports import CallLimits
from domain.recordings.manners import auto_record, consent, keepers
from domain.timeouts.due import Case, Timeout
from domain.world import World

# Who has just come in is to be recorded from the beginning.
SOON: Final = 0.5


def _recordings_begin(world: World) -> bool:
    return world.records


def _recordings_run(world: World) -> bool:
    return world.recorder is not None


def _to_be_recorded(_now: datetime, _limits: CallLimits) -> sa.Select[UUID]:
    return auto_record.due()


async def _record(found: Case) -> Sequence[Repair] | None:
    return [] if await auto_record.begin_by_itself(found.tx, found.call, found.people, now=found.now) else None


def _not_agreed(now: datetime, _limits: CallLimits) -> sa.Select[UUID]:
    return consent.overdue(now)


async def _put_out(found: Case) -> Sequence[Repair] | None:
    silent = [one for one in found.people.participants if one.status == "connected" and one.consented_at is None]
    return await consent.put_out(found.tx, found.call, silent, now=found.now) or None


def _hostless(now: datetime, _limits: CallLimits) -> sa.Select[UUID]:
    return keepers.due(now)


async def _keep_or_stop(found: Case) -> Sequence[Repair] | None:
    return [] if await keepers.keep_or_stop(found.tx, found.call, found.people, now=found.now) else None


# The first track, the second arrival, a host connected → a recording, once a call.
AUTO_RECORD: Final[Timeout[Case]] = Timeout("auto_record", _to_be_recorded, _record, every=SOON, matters=_recordings_begin)
# Asked for 30 s without an answer, or in a recorded call without having agreed → left(`consent_refused`).
CONSENT_REFUSED: Final[Timeout[Case]] = Timeout("consent_refused", _not_agreed, _put_out, every=SOON, matters=_recordings_run)
# No host or co-host connected for 30 s → the recording stops (`no_host`).
NO_HOST: Final[Timeout[Case]] = Timeout("no_host", _hostless, _keep_or_stop, matters=_recordings_run)
