"""A GraphQL request from JSON, with Hasura's words for what is wrong with it."""

from typing import Any
from urllib.parse import parse_qsl

from permissions.errors import GraphQLRefusal
from resolvers.documents.exact_json import TooManyNumbers, json_text, read_json
from resolvers.documents.request import NO_VARIABLES, Request, Tally

MAX_BATCH = 100


def parse_body(body: bytes, principal: str = "", address: str = "") -> Request | list[Any]:
    """One request, or the still unread members of a batch; raises GraphQLRefusal."""
    try:
        raw = read_json(body)
    except TooManyNumbers as error:
        raise GraphQLRefusal("parse-failed", str(error)) from None
    except ValueError:
        raise GraphQLRefusal("invalid-json", "Error in $: not valid JSON") from None
    if isinstance(raw, list):
        if len(raw) > MAX_BATCH:
            raise GraphQLRefusal("parse-failed", f"a batch holds at most {MAX_BATCH} requests")
        return raw
    return request_of(raw, principal, len(body), address=address)


def request_in_url(query_string: bytes, principal: str) -> Request:
    """`query`, `operationName`, and as JSON `variables` and `extensions`, as GraphQL over HTTP has them; raises GraphQLRefusal."""
    raw: dict[str, Any] = dict(parse_qsl(query_string.decode("latin-1")))
    for name in ("variables", "extensions"):
        if name in raw:
            raw[name] = _json(raw[name].encode(), f"$.{name}")
    return request_of(raw, principal, len(query_string))._replace(reads_only=True)


def body_of_url(query_string: bytes) -> bytes:
    """The same request as the body of a POST, for whoever judges requests; what can't be read is refused later and is left out here.

    Raises GraphQLRefusal for what is nested too deeply to be written again.
    """
    raw: dict[str, Any] = dict(parse_qsl(query_string.decode("latin-1")))
    for name in ("variables", "extensions"):
        if name in raw:
            try:
                raw[name] = read_json(raw[name].encode())
            except ValueError:
                del raw[name]
    return json_text(raw).encode()


def _json(text: bytes, path: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        raise GraphQLRefusal("invalid-json", "Error in $: not valid JSON", path) from None


def request_of(raw: object, principal: str = "", size: int = 0, tally: Tally | None = None, address: str = "") -> Request:
    """Reads `{query, variables, operationName, extensions}`; other keys are ignored.

    Members of a batch share a tally. Raises parse-failed.
    """
    if not isinstance(raw, dict):
        raise GraphQLRefusal("parse-failed", "expected an object with the key 'query'")
    query, variables, name = raw.get("query"), raw.get("variables"), raw.get("operationName")
    if query is None and _is_persisted(raw.get("extensions")):
        # These words make Apollo and urql send the whole document, now and from then on.
        raise GraphQLRefusal("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
    if query is None:
        raise GraphQLRefusal("parse-failed", "the key 'query' was not present")
    if not isinstance(query, str):
        raise GraphQLRefusal("parse-failed", "expected a string", "$.query")
    if variables is not None and not isinstance(variables, dict):
        raise GraphQLRefusal("parse-failed", "expected an object", "$.variables")
    if name is not None and not isinstance(name, str):
        raise GraphQLRefusal("parse-failed", "expected a string", "$.operationName")
    return Request(
        query, variables or NO_VARIABLES, name, principal, size, tally, delta=_asks_for_deltas(raw.get("extensions")), address=address
    )


def _is_persisted(extensions: object) -> bool:
    """Whether a document is named by its hash alone (automatic persisted queries)."""
    return isinstance(extensions, dict) and isinstance(extensions.get("persistedQuery"), dict)


def _asks_for_deltas(extensions: object) -> bool:
    """Extensions are for whoever knows them: what is strange here is ignored, as in Hasura."""
    return isinstance(extensions, dict) and extensions.get("delta") is True
