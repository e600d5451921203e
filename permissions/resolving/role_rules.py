"""What the metadata grants: for every role the rules of each table, read and checked against the catalog."""

from collections.abc import Mapping
from typing import Any

from permissions.expressions import TRUE, Operand
from permissions.reading.entries import Metadata, PermissionEntry
from permissions.reading.nodes import MetadataError, Node, Problem
from permissions.resolving.rule_expressions import RuleReader, operand, suggestion
from permissions.rules import DeleteRule, InsertRule, RoleRules, SelectRule, UpdateRule
from permissions.session import ADMIN
from schema.model import Catalog, TableName, TrackedTable

TableRule = SelectRule | InsertRule | UpdateRule | DeleteRule


# A permission that is left out: of which role, to do what, with which table.
Refused = tuple[str, str, TableName]


def role_rules(
    metadata: Metadata, catalog: Catalog, *, infer_functions: bool = True
) -> tuple[dict[str, RoleRules], list[Problem], frozenset[Refused]]:
    """The rules of every role that the metadata names, and of admin. A permission with a problem is left out and noted."""
    problems: list[Problem] = []
    refused = set[Refused]()
    found: dict[str, dict[str, dict[TableName, Any]]] = {}
    for table in metadata.tables:
        for entry in table.permissions if table.name in catalog.tables else ():
            rule = _rule(entry, catalog[table.name], catalog, problems)
            if rule is None:
                refused.add((entry.role, entry.action, table.name))
            else:
                found.setdefault(entry.role, {}).setdefault(entry.action, {})[table.name] = rule
    actions = {action.name: action.roles for action in metadata.actions}
    explicit = {entry.name: entry.roles for entry in metadata.functions}
    named = {role for roles in (*actions.values(), *explicit.values()) for role in roles}
    roles = {
        role: RoleRules(
            role,
            **found.get(role, {}),
            actions=frozenset(name for name, allowed in actions.items() if role in allowed),
            functions=callable_functions(role, explicit, catalog, infer=infer_functions),
            introspection=True,
        )
        for role in sorted(found.keys() | named)
    }
    return roles | {ADMIN: admin_rules(catalog, frozenset(actions))}, problems, frozenset(refused)


def callable_functions(
    role: str, explicit: Mapping[TableName, frozenset[str]], catalog: Catalog, *, infer: bool = True
) -> frozenset[TableName]:
    """Hasura: whoever may select from the table may call what only reads it. What may write needs a permission of its own as well,

    and without `infer` everything does (`HASURA_GRAPHQL_INFER_FUNCTION_PERMISSIONS`).
    """
    inferred = {name for name, tracked in catalog.functions.items() if infer and not tracked.function.is_volatile}
    return frozenset(name for name in catalog.functions if name in inferred or role in explicit[name])


def admin_rules(catalog: Catalog, actions: frozenset[str]) -> RoleRules:
    """Everything, without a filter."""
    return RoleRules(
        ADMIN,
        select={
            table.name: SelectRule(
                frozenset(table.columns), TRUE, allow_aggregations=True, computed_fields=frozenset(table.computed_fields)
            )
            for table in catalog
        },
        insert={table.name: InsertRule(writable_columns(table), TRUE) for table in catalog if "insert" in table.writes},
        update={table.name: UpdateRule(writable_columns(table), TRUE) for table in catalog if "update" in table.writes},
        delete={table.name: DeleteRule(TRUE) for table in catalog if "delete" in table.writes},
        actions=actions,
        functions=frozenset(catalog.functions),
    )


def writable_columns(table: TrackedTable) -> frozenset[str]:
    """Columns that a statement may set: not those that PostgreSQL generates always."""
    generated = {
        column.name
        for column in table.table.columns
        if column.computed is not None or (column.identity is not None and column.identity.always)
    }
    return frozenset(table.columns) - generated


def _rule(entry: PermissionEntry, table: TrackedTable, catalog: Catalog, problems: list[Problem]) -> TableRule | None:
    found: list[Problem] = []
    rule = _Permission(entry, table, RuleReader(catalog, table, found), found).rule()
    what = f"The {entry.action} permission of {entry.role} on {table.name}: "
    problems.extend(Problem(problem.position, what + problem.sentence) for problem in found)
    return None if found else rule


class _Permission:
    """One entry on its way to a rule; whatever is wrong with it goes to `problems`."""

    def __init__(self, entry: PermissionEntry, table: TrackedTable, reader: RuleReader, problems: list[Problem]) -> None:
        self.entry, self.table, self.reader, self.problems = entry, table, reader, problems

    def rule(self) -> TableRule:
        entry = self.entry
        if entry.action != "select" and entry.action not in self.table.writes:
            sentence = f"PostgreSQL takes no {entry.action} on this view; remove the permission, or write a trigger for it."
            self.problems.append(Problem(entry.position, sentence))
        presets = self.presets()
        columns = self.columns() - presets.keys()
        match entry.action:
            case "select":
                return self.select(columns)
            case "insert":
                return InsertRule(columns, self.expression(entry.check), presets, entry.backend_only)
            case "update":
                check = None if entry.check is None else self.expression(entry.check)
                return UpdateRule(columns, self.expression(entry.filter), check, presets, entry.backend_only)
            case "delete":
                return DeleteRule(self.expression(entry.filter), entry.backend_only)

    def select(self, columns: frozenset[str]) -> SelectRule:
        entry = self.entry
        return SelectRule(
            columns,
            self.expression(entry.filter),
            entry.limit,
            entry.allow_aggregations,
            self.names(entry.computed_fields, self.table.computed_fields, "computed field"),
            entry.query_root_fields,
            entry.subscription_root_fields,
        )

    def expression(self, node: Node | None) -> Any:
        if node is None:
            raise ValueError(f"a {self.entry.action} permission without its rule was read")
        return self.reader.rule(node)

    def columns(self) -> frozenset[str]:
        """`'*'` means all columns there are now; generated ones can't be written."""
        if self.entry.columns is None:
            return frozenset(self.table.columns) if self.entry.action == "select" else writable_columns(self.table)
        names = self.names(self.entry.columns, self.table.columns, "column")
        return names if self.entry.action == "select" else names & writable_columns(self.table)

    def names(self, nodes: tuple[Node, ...], known: Mapping[str, object], what: str) -> frozenset[str]:
        for node in nodes:
            if node.value not in known:
                sentence = f"{self.table.name} has no {what} {node.value}{suggestion(str(node.value), known)}"
                self.problems.append(Problem(node.position, sentence))
        return frozenset(str(node.value) for node in nodes)

    def presets(self) -> dict[str, Operand]:
        """Values of columns that the role can't choose."""
        result: dict[str, Operand] = {}
        for name, node in self.entry.presets.items():
            try:
                if name not in writable_columns(self.table):
                    raise node.error(f"{self.table.name} has no column {name} to set{suggestion(name, self.table.columns)}")
                result[name] = operand(node, self.table.columns[name].type)
            except MetadataError as error:
                self.problems.extend(error.problems)
        return result
