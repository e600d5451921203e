"""Whether the tests' own lists hold all that the metadata holds: nobody misses what isn't written down. Pure, to be tested itself."""

from collections.abc import Collection, Iterable, Mapping

from permissions.reading.entries import ActionEntry
from permissions.rules import RoleRules
from schema.model import Relationship, TableName


def readable(*roles: RoleRules) -> set[str]:
    """The tables that any of the roles may select."""
    return {table.name for rules in roles for table in rules.select}


def touchable(*roles: RoleRules) -> set[str]:
    """The tables that any of the roles may select or write."""
    return {table.name for rules in roles for granted in (rules.select, rules.insert, rules.update, rules.delete) for table in granted}


def unlisted(names: Iterable[str], listed: Collection[str], dictionary: str, module: str) -> list[str]:
    """A sentence for each name that is missing in a dictionary of a test module: what is missing, and where."""
    place = f"{dictionary} in {module.replace('.', '/')}.py"
    return [f"{name} is unknown to these tests: extend {place}" for name in sorted(set(names) - set(listed))]


def one_way(relationships: Mapping[TableName, Mapping[str, Relationship]]) -> set[str]:
    """`table.relationship` for each one without a reverse: another that leads back over the same columns."""
    return {
        f"{table.name}.{relationship.name}"
        for table, of_table in relationships.items()
        for relationship in of_table.values()
        if not any(_leads_back(relationship, table, other) for other in relationships[relationship.target].values())
    }


def _leads_back(there: Relationship, home: TableName, back: Relationship) -> bool:
    return back.target == home and {(local, remote) for remote, local in back.columns} == set(there.columns)


def without_role(actions: Iterable[ActionEntry]) -> list[str]:
    """The actions that nobody but admin may call."""
    return [action.name for action in actions if not action.roles]
