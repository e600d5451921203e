"""Signs tokens that the service's own settings verify: for the command line and the development console, never for clients."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
from pydantic import SecretStr

from app.auth import JwtConfiguration
from app.settings import ConfigurationError


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """Signs with the shared secret of an HS256, HS384 or HS512 configuration."""

    configuration: JwtConfiguration

    @classmethod
    def of(cls, jwt_secret: SecretStr | None) -> "TokenSigner":
        """The signer that fits NCHAT_JWT_SECRET; raises ConfigurationError when that setting can only verify."""
        if jwt_secret is None:
            raise ConfigurationError("NCHAT_JWT_SECRET is not set, and no `make run` is running here")
        configuration = JwtConfiguration.parse(jwt_secret.get_secret_value())
        if not isinstance(configuration.key, bytes):
            raise ConfigurationError("NCHAT_JWT_SECRET holds no shared secret: tokens are signed by whoever has the private key")
        if configuration.namespace is None or configuration.claims_map is not None:
            raise ConfigurationError("NCHAT_JWT_SECRET places claims by path: sign the token yourself")
        return cls(configuration)

    def sign(self, user_id: UUID, role: str, *, ttl: int) -> str:
        """A token for this person with one role, good for `ttl` seconds."""
        return self._encode(
            user_id, {"x-hasura-default-role": role, "x-hasura-allowed-roles": [role], "x-hasura-user-id": str(user_id)}, ttl
        )

    def _encode(self, user_id: UUID, claims: Mapping[str, str | Sequence[str]], ttl: int) -> str:
        configuration, now = self.configuration, int(time.time())
        assert isinstance(configuration.key, bytes) and configuration.namespace is not None  # noqa: S101
        payload: dict[str, Any] = {"sub": str(user_id), "iat": now, "exp": now + ttl}
        payload[configuration.namespace] = json.dumps(claims) if configuration.stringified else claims
        if configuration.issuer is not None:
            payload["iss"] = configuration.issuer
        if configuration.audience is not None:
            payload["aud"] = configuration.audience[0]
        return jwt.encode(payload, configuration.key, algorithm=configuration.algorithms[0])
