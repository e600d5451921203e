"""Whether a call is recorded by itself, and whether people are asked before: the channel's word, and who starts a call may ask for more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.call_settings.channels import AutoRecord, RecordingConsent, require_recordable
from domain.errors import InvalidInput
from domain.world import Transaction, World
from schema.tables.channel_call_settings import channel_call_settings

# Each kind and those that leave nothing unrecorded that it records. A host alone, or two without a host: neither covers the other.
AT_LEAST: Final[Mapping[AutoRecord, frozenset[AutoRecord]]] = {
    "off": frozenset({"off", "second", "host", "first"}),
    "second": frozenset({"second", "first"}),
    "host": frozenset({"host", "first"}),
    "first": frozenset({"first"}),
}


@dataclass(frozen=True, slots=True)
class Manners:
    auto_record: AutoRecord = "off"
    recording_consent: RecordingConsent = "notify"

    def with_those(self, other: "Manners") -> "Manners":
        """The least strict that are as strict as both."""
        consents = {self.recording_consent, other.recording_consent}
        return Manners(_both(self.auto_record, other.auto_record), "ask" if "ask" in consents else "notify")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request asks for; None takes what holds anyway."""

    auto_record: AutoRecord | None = None
    recording_consent: RecordingConsent | None = None


async def manners_of(tx: Transaction, world: World, channel_id: UUID | None) -> Manners:
    """Those of a channel's calls; a call without a channel has the defaults, and so has each where the deployment records nothing.

    What a channel settled in better days would ask people for their consent to nothing, and keep out who does not give it.
    """
    if channel_id is None or not world.records:
        return Manners()
    mine = channel_call_settings.c
    row = (await tx.connection.execute(sa.select(mine.auto_record, mine.recording_consent).where(mine.channel_id == channel_id))).first()
    return Manners() if row is None else Manners(row.auto_record, row.recording_consent)


def settled(world: World, floor: Manners, wishes: Wishes, *, e2ee: bool) -> Manners:
    """What holds for a call where `floor` is the least. InvalidInput for a laxer wish, and for recording what can't be recorded."""
    require_recordable(world, wishes.auto_record, wishes.recording_consent)
    auto_record = wishes.auto_record or floor.auto_record
    if auto_record not in AT_LEAST[floor.auto_record]:
        raise InvalidInput(f"autoRecord may not be laxer than the channel's, {floor.auto_record}.")
    consent = wishes.recording_consent or floor.recording_consent
    if floor.recording_consent == "ask" and consent != "ask":
        raise InvalidInput("recordingConsent may not be laxer than the channel's, ask.")
    if e2ee and auto_record != "off":
        raise InvalidInput("The call would be recorded by itself, and an end-to-end encrypted one can't be.")
    return Manners(auto_record, consent)


def _both(one: AutoRecord, other: AutoRecord) -> AutoRecord:
    common = AT_LEAST[one] & AT_LEAST[other]
    return next(kind for kind in AT_LEAST if kind in common and common <= AT_LEAST[kind])
