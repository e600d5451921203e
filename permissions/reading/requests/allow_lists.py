"""Reads `query_collections` and `allowlist`: which documents may be asked where nothing else may."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import GraphQLSyntaxError, parse

from permissions.allow_list import AllowList, normalized
from permissions.reading.nodes import Node, Position, Problem, each


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents under one name, ready to be compared."""

    name: str
    documents: frozenset[str]
    position: Position


@dataclass(frozen=True, slots=True)
class _Listed:
    """A collection that may be asked: by these roles, or by everybody."""

    collection: str
    roles: Mapping[str, Position] | None
    position: Position


@dataclass(frozen=True, slots=True)
class ReadAllowList:
    """The list, where each role that it names stands, and the collections that are in no list."""

    allowed: AllowList
    roles: Mapping[str, Position]
    unlisted: tuple[Problem, ...]


def read_allow_list(document: Node, problems: list[Problem]) -> ReadAllowList:
    """What can't be read is noted and not allowed."""
    collections = _collections(document.get("query_collections"), problems)
    entries = each(document.get("allowlist"), "`allowlist`", _listed, problems)
    listed = [entry for entry in entries if _is_known(entry, collections, problems)]
    everybody: set[str] = set()
    of_roles: dict[str, frozenset[str]] = defaultdict(frozenset)
    for entry in listed:
        documents = collections[entry.collection].documents
        if entry.roles is None:
            everybody |= documents
        for role in entry.roles or ():
            of_roles[role] |= documents
    roles = {role: position for entry in listed for role, position in (entry.roles or {}).items()}
    names = {entry.collection for entry in listed}
    sentence = "The collection {} has no effect: it is in no allow list."
    unlisted = tuple(Problem(c.position, sentence.format(c.name)) for c in collections.values() if c.name not in names)
    return ReadAllowList(AllowList(frozenset(everybody), dict(of_roles)), roles, unlisted)


def _collections(node: Node | None, problems: list[Problem]) -> dict[str, Collection]:
    found: dict[str, Collection] = {}
    for collection in each(node, "`query_collections`", lambda entry: _collection(entry, problems), problems):
        if collection.name in found:
            problems.append(Problem(collection.position, f"The collection {collection.name} is defined twice; keep one."))
        found.setdefault(collection.name, collection)
    return found


def _collection(node: Node, problems: list[Problem]) -> Collection:
    node.only(frozenset({"name", "definition", "comment"}), "A query collection")
    node.get("comment")
    name = node.required("name", "A query collection").text("The name of a collection")
    definition = node.required("definition", f"The collection {name}")
    definition.only(frozenset({"queries"}), "The definition of a collection")
    documents = each(definition.required("queries", f"The collection {name}"), "`queries`", _document, problems)
    return Collection(name, frozenset(documents), node.position)


def _document(node: Node) -> str:
    node.only(frozenset({"name", "query"}), "A query of a collection")
    name = node.required("name", "A query of a collection").text("The name of a query")
    query = node.required("query", f"The query {name}")
    try:
        return normalized(parse(query.text("A query"), no_location=True, allow_empty_selection_sets=False))
    except GraphQLSyntaxError as error:
        raise query.error(f"The query {name} is no GraphQL document: {error.message.removeprefix('Syntax Error: ')}") from error


def _listed(node: Node) -> _Listed:
    node.only(frozenset({"collection", "scope"}), "An entry of `allowlist`")
    collection = node.required("collection", "An entry of `allowlist`").text("`collection`")
    scope = node.get("scope")
    return _Listed(collection, None if scope is None else _roles(scope), node.position)


def _roles(scope: Node) -> Mapping[str, Position] | None:
    scope.only(frozenset({"global", "roles"}), "`scope`")
    for_all = scope.required("global", "`scope`").flag("`global`")
    roles = scope.get("roles")
    if for_all:
        if roles is not None:
            raise roles.error("roles are not allowed when global is true")
        return None
    named = list(_named(scope.required("roles", "A `scope` that is not global")))
    if len({role for role, _ in named}) != len(named):
        raise scope.error("duplicate roles are not allowed")
    return dict(named)


def _named(roles: Node) -> Iterator[tuple[str, Position]]:
    entries = roles.items("`roles`")
    if not entries:
        raise roles.error("A `scope` that is not global needs at least one role.")
    for role in entries:
        yield role.text("A role"), role.position


def _is_known(entry: _Listed, collections: Mapping[str, Collection], problems: list[Problem]) -> bool:
    if entry.collection not in collections:
        problems.append(Problem(entry.position, f"There is no query collection {entry.collection}."))
    return entry.collection in collections
