"""Hasura's webhook mode: somebody else's service says who asks.

In: a request's headers, and its body. Out: a session, and cookies for the caller; or Hasura's refusal.
"""

from app.auth.hook.auth_hook import AuthHook
from app.auth.hook.exchange import Exchange

__all__ = ["AuthHook", "Exchange"]
