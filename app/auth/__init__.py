"""Who is asking.

In: a request's headers. Out: a verified session (`permissions/session.py`), or Hasura's refusal. The admin secret counts before a token,
a token before the unauthorized role.
"""

from app.auth.authenticator import Authenticator
from app.auth.configuration import JwtConfiguration

__all__ = ["Authenticator", "JwtConfiguration"]
