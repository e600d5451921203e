"""Whose token it is: of several secrets the one that its issuer goes with, as Hasura's HASURA_GRAPHQL_JWT_SECRETS has it."""

from collections.abc import Mapping, Sequence

from app.auth.refusals import invalid_headers, invalid_jwt
from app.auth.token_header import find_tokens
from app.auth.verifier import TokenVerifier, VerifiedToken


class Issuers:
    """One verifier a secret. Each looks for tokens where its setting says, and takes those of its issuer and of none."""

    def __init__(self, verifiers: Sequence[TokenVerifier]) -> None:
        self._verifiers = tuple(verifiers)

    async def verify(self, headers: Mapping[str, str]) -> VerifiedToken | None:
        """What the request's token grants; None when it brings none.

        Raises invalid-jwt for a token of nobody we know and for a bad one, invalid-headers for two that might both be meant.
        """
        has_brought, matching = False, None
        for verifier in self._verifiers:
            for token in find_tokens(verifier.header, headers):
                has_brought = True
                if verifier.may_have_issued(token):
                    if matching is not None:
                        raise invalid_headers("Could not verify JWT: Multiple JWTs found")
                    matching = verifier, token
        if matching is not None:
            verifier, token = matching
            return await verifier.verify(token)
        if has_brought:
            raise invalid_jwt("JWTNotInIssuer")
        return None
