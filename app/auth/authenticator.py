"""Decides who asks, in Hasura's order: admin secret, then token or webhook, then the unauthorized role."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Protocol

from app.auth.claims import ROLE
from app.auth.hook import AuthHook, Exchange
from app.auth.issuers import Issuers
from app.auth.refusals import access_denied, invalid_headers
from app.auth.verifier import TokenVerifier, VerifiedToken
from app.settings.errors import ConfigurationError
from permissions.errors import GraphQLRefusal
from permissions.session import ADMIN, Session

ADMIN_SECRET = "x-hasura-admin-secret"  # noqa: S105 - the name of a header
ACCESS_KEY = "x-hasura-access-key"
BACKEND_ONLY = "x-hasura-use-backend-only-permissions"
_NOT_VARIABLES = frozenset({ADMIN_SECRET, ACCESS_KEY, BACKEND_ONLY, ROLE})
_TRUE, _FALSE = frozenset({"true", "t", "yes", "y"}), frozenset({"false", "f", "no", "n"})


class Authenticates(Protocol):
    async def authenticate(self, headers: Mapping[str, str], exchange: Exchange | None = None) -> Session:
        """`headers` have lower-case names; `exchange` is what a webhook gets and gives beside them. Raises GraphQLRefusal."""
        ...


class Authenticator:
    """Hasura's four modes; without any secret everybody is trusted, which is for development.

    Unlike Hasura, a caller under the unauthorized role brings no session variables: what a stranger writes into a
    header is no identity. Unlike Hasura, tokens may be used without an admin secret: then nobody is trusted.
    """

    def __init__(
        self,
        *,
        admin_secrets: Sequence[str] = (),
        tokens: Sequence[TokenVerifier] = (),
        hook: AuthHook | None = None,
        unauthorized_role: str | None = None,
        additions: Mapping[str, str] | None = None,
    ) -> None:
        """`additions` is what the service tells functions of the database, whoever asks (`Session.additions`)."""
        if unauthorized_role is not None and not admin_secrets and not tokens:
            raise ConfigurationError("NCHAT_UNAUTHORIZED_ROLE needs NCHAT_ADMIN_SECRET or NCHAT_JWT_SECRET, or everybody is admin")
        if not all(admin_secrets):
            raise ConfigurationError("NCHAT_ADMIN_SECRET is empty: whoever sends an empty header would be admin")
        self._admin_secrets = tuple(secret.encode() for secret in admin_secrets)
        self._issuers, self._hook = Issuers(tokens) if tokens else None, hook
        self._additions = additions or {}
        self._anonymous = None
        if unauthorized_role is not None:
            self._anonymous = Session(unauthorized_role, {ROLE: unauthorized_role}, additions=self._additions)

    @property
    def is_open(self) -> bool:
        """Nothing is configured: whoever reaches the port is admin."""
        return not self._admin_secrets and self._issuers is None and self._hook is None

    async def authenticate(self, headers: Mapping[str, str], exchange: Exchange | None = None) -> Session:
        """The session of a request with these (lower-case) headers; raises GraphQLRefusal."""
        if self.is_open:
            return self._trusted(headers)
        secret = headers.get(ADMIN_SECRET, headers.get(ACCESS_KEY))
        if secret is not None:
            if not self._is_admin_secret(secret):
                raise access_denied(f"invalid {ADMIN_SECRET}/{ACCESS_KEY}")
            return self._trusted(headers)
        if self._hook is not None:
            return await self._named_by(self._hook, headers, exchange or Exchange())
        if self._issuers is not None and (verified := await self._issuers.verify(headers)) is not None:
            return self._bearer(verified, headers)
        if self._anonymous is not None:
            return self._anonymous
        raise self._nobody()

    def _is_admin_secret(self, given: str) -> bool:
        """A header's bytes arrive as Latin-1, whatever the client meant; a websocket's first message holds the text itself."""
        is_bytes = all(ord(letter) < 256 for letter in given)
        forms = [given.encode("utf-8", "surrogatepass"), *([given.encode("latin-1")] if is_bytes else [])]
        return any(hmac.compare_digest(form, secret) for form in forms for secret in self._admin_secrets)

    async def _named_by(self, hook: AuthHook, headers: Mapping[str, str], exchange: Exchange) -> Session:
        """Whoever the webhook says it is: a role that the caller asks for is a header like any other."""
        answered = await hook.ask(headers, exchange)
        return Session(answered.role, answered.variables, expires_at=answered.expires_at, additions=self._additions)

    def _bearer(self, verified: VerifiedToken, headers: Mapping[str, str]) -> Session:
        role = verified.claims.role(headers.get(ROLE))
        known = verified.sessions.get(role)
        if known is None:
            variables = {**verified.claims.variables, ROLE: role}
            allowed = tuple(sorted(verified.claims.allowed_roles))
            known = Session(role, variables, expires_at=verified.expires_at, allowed_roles=allowed, additions=self._additions)
            verified.sessions[role] = known
        return known

    def _trusted(self, headers: Mapping[str, str]) -> Session:
        role = headers.get(ROLE) or ADMIN
        variables = {name: value for name, value in headers.items() if name.startswith("x-hasura-") and name not in _NOT_VARIABLES}
        variables[ROLE] = role
        backend_only = _backend_only(headers.get(BACKEND_ONLY))
        return Session(role, variables, trusted=True, backend_only=backend_only, additions=self._additions)

    def _nobody(self) -> GraphQLRefusal:
        if self._issuers is None:
            return access_denied(f"{ADMIN_SECRET}/{ACCESS_KEY} required, but not found")
        return invalid_headers("Missing 'Authorization' or 'Cookie' header in JWT authentication mode")


def _backend_only(text: str | None) -> bool:
    if text is None or text.lower() in _FALSE:
        return False
    if text.lower() in _TRUE:
        return True
    raise GraphQLRefusal(
        "bad-request",
        f"{BACKEND_ONLY}:  Not a valid boolean text. "
        'True values are ["true","t","yes","y"] and  False values are ["false","f","no","n"]. All values are case insensitive',
    )
