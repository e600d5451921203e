"""Every way a service process dies in the midst of a call, a file a noun: what people and LiveKit do, and at which points it ends."""

from tests.trials.crashes.call_settings import CALL_SETTINGS
from tests.trials.crashes.calls import CALLS
from tests.trials.crashes.participants import PARTICIPANTS
from tests.trials.crashes.pushes import PUSHES
from tests.trials.crashes.reconciler import RECONCILER
from tests.trials.crashes.timeouts import TIMEOUTS
from tests.trials.crashes.webhooks import WEBHOOKS

CRASHES = (*CALLS, *PARTICIPANTS, *CALL_SETTINGS, *WEBHOOKS, *PUSHES, *TIMEOUTS, *RECONCILER)
