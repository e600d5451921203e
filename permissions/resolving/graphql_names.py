"""GraphQL names that tables claim: what Hasura calls them, and what two of them can't share."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from permissions.reading.entries import Configuration, TableEntry
from permissions.reading.nodes import Problem
from schema.model import RootFields, TableName
from schema.type_names import GIVEN, table_type_names

# GraphQL keeps names with `__` for itself, boolean expressions their logic.
_NAME = re.compile(r"(?!__)(?!_(and|or|not)$)[_A-Za-z][_0-9A-Za-z]*")


def is_name(text: str) -> bool:
    """Whether a table, a column or a field can be called this in GraphQL."""
    return _NAME.fullmatch(text) is not None


def graphql_name(name: TableName, configuration: Configuration) -> str:
    """Hasura: the name in schema public, `<schema>_<name>` elsewhere, unless there is a custom name."""
    return configuration.custom_name or (name.name if name.schema == "public" else f"{name.schema}_{name.name}")


def root_fields(base: str, custom: Mapping[str, str]) -> RootFields:
    """Hasura's default names, each replaced by a custom one where there is one."""
    defaults = {
        "select": base,
        "select_by_pk": f"{base}_by_pk",
        "select_aggregate": f"{base}_aggregate",
        "select_stream": f"{base}_stream",
        "insert": f"insert_{base}",
        "insert_one": f"insert_{base}_one",
        "update": f"update_{base}",
        "update_by_pk": f"update_{base}_by_pk",
        "update_many": f"update_{base}_many",
        "delete": f"delete_{base}",
        "delete_by_pk": f"delete_{base}_by_pk",
    }
    return RootFields(**{key: custom.get(key, name) for key, name in defaults.items()})


@dataclass(slots=True)
class ClaimedNames:
    """The names that the tables so far have taken."""

    tables: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=lambda: set(GIVEN))
    root_fields: set[str] = field(default_factory=set)

    def claim(self, entry: TableEntry) -> Problem | None:
        """Takes the names of one more table, or says why it can't have them."""
        name = graphql_name(entry.name, entry.configuration)
        fields = list(asdict(root_fields(name, entry.configuration.root_fields)).values())
        types = table_type_names(name)
        if name in self.tables:
            return Problem(entry.position, f"Two tables are called {name} in GraphQL; give this one a `custom_name`.")
        if bad := [text for text in (name, *fields) if not is_name(text)]:
            return Problem(entry.position, f"{bad[0]} can't be a GraphQL name; give the table a `custom_name`.")
        if shared := sorted(types & self.types):
            return Problem(entry.position, f"{entry.name} would bring a second GraphQL type {shared[0]}; give the table a `custom_name`.")
        if shared := sorted({text for text in fields if text in self.root_fields or fields.count(text) > 1}):
            return Problem(entry.position, f"{entry.name} would bring a second root field {shared[0]}; choose another name.")
        self.tables.add(name)
        self.types |= types
        self.root_fields.update(fields)
        return None
