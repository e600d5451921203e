"""The one error that a GraphQL client sees, in Hasura's form."""

from typing import Any, Final

import orjson


class GraphQLRefusal(Exception):
    """A request is answered with one error: `{message, extensions: {path, code, ...}}`.

    `code` is one of Hasura's codes or of an action's (docs/errors.md); `path` is a JSONPath of field names
    (`$.selectionSet.author.args.where`); `extra` joins the extensions (`retryAfter`).
    """

    def __init__(self, code: str, message: str, path: str = "$", **extra: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.path, self.extra = code, message, path, extra

    def answer(self) -> dict[str, Any]:
        """The whole response: no `data` beside an error (Hasura: never partial)."""
        return {"errors": [{"message": self.message, "extensions": {"path": self.path, "code": self.code, **self.extra}}]}

    def body(self) -> bytes:
        """The same as JSON."""
        return orjson.dumps(self.answer())


# More is asked at once than the asker's share; `retryAfter` says when to ask again.
RATE_LIMITED: Final = "rate-limited"
# More than the metadata lets the role ask for in a minute; `retryAfter` as well.
RATE_LIMIT_EXCEEDED: Final = "rate-limit-exceeded"


def missing_session_variable(name: str) -> GraphQLRefusal:
    """A rule names a variable that the session lacks. Hasura: an error, never an empty filter."""
    return GraphQLRefusal("not-found", f'missing session variable: "{name}"')
