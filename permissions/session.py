"""Who asks: a role and session variables, made only from a verified token, the admin secret, or the anonymous role."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import orjson

from permissions.errors import GraphQLRefusal, missing_session_variable

ADMIN = "admin"
# How the names of session variables begin.
PREFIX = "x-hasura-"
USER_ID = "x-hasura-user-id"


@dataclass(frozen=True, slots=True)
class Session:
    """`variables` have lower-case names (`x-hasura-…`) and text values. `expires_at` is a unix time in seconds.

    `allowed_roles` are those that a token names, sorted; without a token there are none beside `role`.
    """

    role: str
    variables: Mapping[str, str] = field(default_factory=dict)
    expires_at: float | None = None
    # The admin secret was shown (or no authentication is configured): backend-only permissions may be asked for.
    trusted: bool = False
    backend_only: bool = False
    allowed_roles: tuple[str, ...] = ()
    # What the service itself tells functions of the database, secrets among it: no client names it, no text of a session shows it.
    additions: Mapping[str, str] = field(default_factory=dict, repr=False)

    def variable(self, name: str) -> str:
        """The value of a session variable; raises Hasura's not-found when the session has none."""
        try:
            return self.variables[name.lower()]
        except KeyError:
            raise missing_session_variable(name.lower()) from None

    def as_json(self) -> str:
        """All session variables as one JSON object: what triggers read from `hasura.user`."""
        return orjson.dumps(dict(self.variables)).decode()

    def as_argument(self) -> str:
        """The same with what the service adds, which no variable can replace: what functions get as their session argument."""
        return orjson.dumps({**self.variables, **self.additions}).decode()

    @property
    def user_id(self) -> UUID:
        """The person who acts. An action needs one whatever the role; a malformed id is invalid-input."""
        value = self.variable(USER_ID)
        try:
            return UUID(value)
        except ValueError:
            raise GraphQLRefusal("invalid-input", "x-hasura-user-id is not a uuid.") from None
