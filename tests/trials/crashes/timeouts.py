"""Crashes while it is decided that something took too long."""

from collections.abc import Sequence
from functools import partial

from tests.trials.crashes.crash import Crash, Step
from tests.trials.crashes.people import accept, bob_is_lost, calls_age, calls_age_an_hour, ring, ring_both, seats_age, talk, talk_alone
from tests.trials.trial_call import TrialCall


async def scheduled_through_the_table(on: TrialCall) -> None:
    query = 'mutation { insert_nchat_calls_one(object: {type: "audio"}) { id } }'
    on.call = (await on.caller(on.alice).data(query))["insert_nchat_calls_one"]["id"]


def timeout(name: str, before: Sequence[Step], during: Step, *told: str) -> Crash:
    return Crash(f"timeout {name}", (f"timeout.{name}.due", f"timeout.{name}", *told), before, during, asleep=True)


TIMEOUTS = (
    timeout("ringing", [ring_both], seats_age, "rooms.delete_room@domain.calls.ending.close_room"),
    timeout("connecting", [ring, accept], calls_age_an_hour),
    timeout("reconnecting", [talk_alone, bob_is_lost], calls_age_an_hour),
    timeout("never_joined", [ring_both, accept], seats_age),
    timeout("network_error", [talk, bob_is_lost], seats_age),
    timeout("duration", [talk], partial(calls_age, column="connected_at", hours=9)),
    timeout("start", [scheduled_through_the_table], partial(calls_age, column="created_at")),
)
