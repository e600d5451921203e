"""Actions on what is settled before a call: setCallPreferences, setChannelCallSettings."""

import strawberry

from domain.call_settings import channels, preferences
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.input_words import moment, word
from resolvers.hand_written.table_rows import table_row
from schema.table_types.scalars import uuid
from schema.types.call_settings import AutoRecord, RecordingConsent, RingFrom, SetCallPreferencesInput, SetChannelCallSettingsInput
from schema.types.camel_case import camel_type


@camel_type
class SetCallPreferencesPayload:
    user_id: uuid
    call_settings = table_row("nchat_user_call_settings", key="user_id", description="The caller's settings.")


@camel_type
class SetChannelCallSettingsPayload:
    channel_id: uuid
    call_settings = table_row("nchat_channel_call_settings", key="channel_id", description="The channel's settings.")


async def set_call_preferences(world: World, session: Session, input: SetCallPreferencesInput) -> SetCallPreferencesPayload:
    """Says who may ring the caller, and until when nobody."""
    dnd_until = preferences.UNTOUCHED if input.dnd_until is strawberry.UNSET else moment("dndUntil", input.dnd_until)
    ring_from = preferences.UNTOUCHED if input.ring_from is None else word(RingFrom, input.ring_from)
    return SetCallPreferencesPayload(user_id=uuid(await preferences.set_call_preferences(world, session, dnd_until, ring_from)))


async def set_channel_call_settings(world: World, session: Session, input: SetChannelCallSettingsInput) -> SetChannelCallSettingsPayload:
    """Says how the channel's calls are recorded and which words its streams refuse. For the channel's owner, admins and moderators."""
    auto_record = None if input.auto_record is None else word(AutoRecord, input.auto_record)
    consent = None if input.recording_consent is None else word(RecordingConsent, input.recording_consent)
    channel = await channels.set_channel_call_settings(world, session, input.channel_id, auto_record, consent, input.blocked_terms)
    return SetChannelCallSettingsPayload(channel_id=uuid(channel))


@camel_type
class Mutation:
    set_call_preferences = action(set_call_preferences)
    set_channel_call_settings = action(set_channel_call_settings)
