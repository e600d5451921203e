"""The settings that say who asks: Hasura's modes, which are none, admin secret, tokens, or a webhook.

Each is read under Hasura's name as well, in the same form (`Server/Init/Arg/Command/Serve.hs`): whoever brings a Hasura's environment
must not find the door open because nobody read it.
"""

from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from app.settings.forms import HttpUrl
from permissions.session import ADMIN


def _as_in_hasura(name: str, *deprecated: str) -> Any:
    """Our own variable, then Hasura's, then names that Hasura gave up but reads."""
    return AliasChoices(f"NCHAT_{name}", *(f"HASURA_GRAPHQL_{known}" for known in (name, *deprecated)))


class AuthenticationSettings(BaseSettings):
    """A part of `Settings`, which names the environment and keeps secrets out of errors."""

    admin_secret: SecretStr | None = Field(
        None,
        validation_alias=_as_in_hasura("ADMIN_SECRET", "ACCESS_KEY"),
        description="Whoever sends it as `X-Hasura-Admin-Secret` may do everything.",
    )
    admin_secrets: SecretStr | None = Field(
        None,
        validation_alias=_as_in_hasura("ADMIN_SECRETS"),
        description="Several of them, as a JSON list of texts: one comes, one goes. They count instead of the one above.",
    )
    jwt_secret: SecretStr | None = Field(
        None, validation_alias=_as_in_hasura("JWT_SECRET"), description="How tokens are verified, in Hasura's JSON form."
    )
    jwt_secrets: SecretStr | None = Field(
        None,
        validation_alias=_as_in_hasura("JWT_SECRETS"),
        description="The same for several issuers, as a JSON list. It counts instead of the one above.",
    )
    auth_hook: HttpUrl | None = Field(
        None, validation_alias=_as_in_hasura("AUTH_HOOK"), description="The webhook that says who asks, instead of tokens."
    )
    auth_hook_mode: Literal["GET", "POST"] = Field(
        "GET",
        validation_alias=_as_in_hasura("AUTH_HOOK_MODE", "AUTH_HOOK_TYPE"),
        description="`GET` forwards the caller's headers, `POST` sends them as JSON, with the request.",
    )
    auth_hook_send_request_body: bool = Field(
        True,
        validation_alias=_as_in_hasura("AUTH_HOOK_SEND_REQUEST_BODY"),
        description="Whether `POST` sends the request, not only its headers.",
    )
    unauthorized_role: str | None = Field(
        None,
        validation_alias=_as_in_hasura("UNAUTHORIZED_ROLE"),
        description="The role of callers without a token; absent: they are refused.",
    )

    @property
    def is_open(self) -> bool:
        """Nothing says who asks: whoever reaches the port is admin."""
        return not self.knows_admins and not self.verifies_tokens and self.auth_hook is None

    @property
    def knows_admins(self) -> bool:
        """Whether there is an admin secret."""
        return self.admin_secret is not None or self.admin_secrets is not None

    @property
    def verifies_tokens(self) -> bool:
        """Whether tokens say who asks."""
        return self.jwt_secret is not None or self.jwt_secrets is not None

    @model_validator(mode="after")
    def _one_mode(self) -> Self:
        if self.auth_hook is not None and self.verifies_tokens:
            raise ValueError("NCHAT_AUTH_HOOK and NCHAT_JWT_SECRET are both set: a webhook or tokens say who asks, not both")
        if self.unauthorized_role and self.auth_hook is not None:
            raise ValueError("NCHAT_UNAUTHORIZED_ROLE goes with no NCHAT_AUTH_HOOK: the webhook names the role of every caller")
        if self.unauthorized_role and self.is_open:
            raise ValueError("NCHAT_UNAUTHORIZED_ROLE needs NCHAT_ADMIN_SECRET or NCHAT_JWT_SECRET: without them every caller is admin")
        if self.unauthorized_role == ADMIN:
            raise ValueError("NCHAT_UNAUTHORIZED_ROLE must not be admin: callers without a token could do everything")
        return self
