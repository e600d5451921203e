"""Crashes while people and channels say how they want to be called."""

from tests.trials.crashes.crash import Crash
from tests.trials.crashes.people import ring
from tests.trials.trial_call import TrialCall


async def carol_rests(on: TrialCall) -> None:
    await on.caller(on.carol).act("setCallPreferences", "userId", dndUntil="2126-01-01T00:00:00Z")


async def alice_owns_the_channel(on: TrialCall) -> None:
    await on.database.execute("INSERT INTO nchat_channels (id, name) VALUES ($1, 'own')", on.alice)
    await on.database.execute("INSERT INTO nchat_channel_members (channel_id, user_id, role) VALUES ($1, $1, 'owner')", on.alice)


async def refuse_a_word(on: TrialCall) -> None:
    await on.caller(on.alice).act("setChannelCallSettings", "channelId", channelId=str(on.alice), blockedTerms=["spam"])


CALL_SETTINGS = (
    Crash("preferences", ("set_call_preferences.write",), [ring], carol_rests),
    Crash("settings of a channel", ("set_channel_call_settings.write",), [ring, alice_owns_the_channel], refuse_a_word),
)
