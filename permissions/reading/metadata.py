"""Reads Hasura metadata: sources, tables and actions of a directory or a single document."""

from collections.abc import Mapping
from pathlib import Path

from permissions.reading.customization import read_customization
from permissions.reading.entries import ActionEntry, FunctionEntry, Metadata, TableEntry
from permissions.reading.function_entries import read_function
from permissions.reading.inherited_roles import read_inherited_roles
from permissions.reading.metadata_files import read_document
from permissions.reading.nodes import MetadataError, Node, Position, Problem, each
from permissions.reading.requests.allow_lists import read_allow_list
from permissions.reading.requests.api_limits import limited_roles, read_api_limits
from permissions.reading.sources import postgres_source
from permissions.reading.table_entries import read_table
from permissions.reading.unused import literal_variables, unknown, unused
from schema.model import TableName
from schema.naming import Convention, Naming

# Parts of Hasura's metadata that change what is served, and that this service doesn't have.
_UNSUPPORTED = {
    "remote_schemas": "Remote schemas are not supported: their fields are absent.",
    "cron_triggers": "Cron triggers are not supported: this one never fires.",
    "rest_endpoints": "REST endpoints are not supported: this one is absent.",
}
_UNSUPPORTED_IN_SOURCE = {
    "native_queries": "Native queries are not supported: their root fields are absent.",
    "logical_models": "Logical models are not supported.",
    "stored_procedures": "Stored procedures are not supported: their root fields are absent.",
}


def load_metadata(path: Path, source: str | None = None, convention: Convention = Convention.HASURA) -> Metadata:
    """A metadata directory, or one JSON or YAML document, of version 2 or 3. `source` is the name of the one to be served.

    `convention` makes the names of a source that says nothing of it.
    Raises MetadataError when the document as a whole can't be read; a single bad entry is left out and noted in `problems`.
    """
    return read_metadata(read_document(path), source, convention)


def read_metadata(document: Node, source_name: str | None = None, convention: Convention = Convention.HASURA) -> Metadata:
    """The same of a document that is read already."""
    document.get("version")
    problems: list[Problem] = []
    _note_unsupported(document, _UNSUPPORTED, problems)
    source = postgres_source(document, source_name, problems)
    tables = [] if source is None else _tables(source, problems)
    tracked = [] if source is None else _functions(source, problems)
    naming = Naming() if source is None else read_customization(source.get("customization"), problems, convention)
    actions = each(document.get("actions"), "`actions`", _read_action, problems)
    inherited = read_inherited_roles(document.get("inherited_roles"), problems)
    named = None if source is None else source.get("name")
    name = "default" if named is None else named.text("The name of a source")
    untold = _without_introspection(document.get("graphql_schema_introspection"))
    limits = read_api_limits(document.get("api_limits"))
    listed = read_allow_list(document, problems)
    roles = {**limited_roles(document.get("api_limits")), **listed.roles}
    read = (tuple(tables), actions, tuple(problems), inherited, name, naming, untold)
    without_effect = (*unused(document), *literal_variables(document), *listed.unlisted)
    return Metadata(*read, without_effect, unknown(document), tuple(tracked), limits, listed.allowed, roles)


def _tables(source: Node, problems: list[Problem]) -> list[TableEntry]:
    _note_unsupported(source, _UNSUPPORTED_IN_SOURCE, problems)
    seen: set[TableName] = set()
    tables = []
    for table in each(source.get("tables"), "`tables`", lambda node: read_table(node, problems), problems):
        if table.name in seen:
            problems.append(Problem(table.position, f"The table {table.name} is tracked twice; keep one entry."))
        else:
            tables.append(table)
        seen.add(table.name)
    return tables


def _without_introspection(node: Node | None) -> Mapping[str, Position]:
    """Where each role of `disabled_for_roles` stands.

    Raises MetadataError for what can't be read: nobody must be told what should be kept from them.
    """
    roles = None if node is None else node.get("disabled_for_roles")
    return {} if roles is None else {role.text("A role"): role.position for role in roles.items("`disabled_for_roles`")}


def _functions(source: Node, problems: list[Problem]) -> list[FunctionEntry]:
    seen: set[TableName] = set()
    functions = []
    for function in each(source.get("functions"), "`functions`", read_function, problems):
        if function.name in seen:
            problems.append(Problem(function.position, f"The function {function.name} is tracked twice; keep one entry."))
        else:
            functions.append(function)
        seen.add(function.name)
    return functions


def _note_unsupported(node: Node, sentences: dict[str, str], problems: list[Problem]) -> None:
    for key, sentence in sentences.items():
        part = node.get(key)
        if part is not None:
            problems.extend(Problem(entry.position, sentence) for entry in part.items(f"`{key}`"))


def _read_action(node: Node) -> ActionEntry:
    name = node.required("name", "An action").text("The name of an action")
    permissions = node.get("permissions")
    roles = [] if permissions is None else permissions.items("`permissions` of an action")
    return ActionEntry(name, tuple(role.required("role", "A permission").text("A role") for role in roles), node.position)


__all__ = ["Metadata", "MetadataError", "load_metadata"]
