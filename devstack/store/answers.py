"""XML in S3's words: answers from nested values, and the two documents that clients send."""

from collections.abc import Iterable
from datetime import UTC, datetime
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from starlette.responses import Response

from devstack.store.errors import S3Error

# What stands in an element: a text, or its children in their order; a name may come more than once.
Content = str | int | Iterable[tuple[str, "Content"]]


def xml(root: str, content: Content, status: int = 200) -> Response:
    """An XML answer with this root element."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{_element(root, content)}'
    return Response(body, status_code=status, media_type="application/xml")


def refusal(error: S3Error, path: str) -> Response:
    """An error as clients read it."""
    return xml("Error", [("Code", error.code), ("Message", error.message), ("Resource", path)], error.status)


def moment(seconds: float) -> str:
    """A time as listings have it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def texts_of(body: bytes, element: str, *names: str) -> list[tuple[str, ...]]:
    """The texts of these children of each such element, empty where one is missing. Raises S3Error (MalformedXML)."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - from clients that hold the key, on this machine
    except ElementTree.ParseError as error:
        raise S3Error("MalformedXML", f"The XML you provided was not well-formed: {error}") from None
    found = [node for node in root.iter() if _local(node) == element]
    return [tuple(next((child.text or "" for child in node if _local(child) == name), "") for name in names) for node in found]


def _local(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _element(name: str, content: Content) -> str:
    if isinstance(content, str | int):
        return f"<{name}>{escape(str(content))}</{name}>"
    return f"<{name}>{''.join(_element(*child) for child in content)}</{name}>"
