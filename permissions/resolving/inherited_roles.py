"""What an inherited role may do: the permissions of its parents, combined as Hasura combines them.

Hasura's `Hasura/RQL/Types/Roles/Internal.hs` and `combinedSelPermInfoToSelPermInfo` in `Hasura/RQL/Types/Table.hs` are the source.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from permissions.expressions import FALSE, And, Expression, Or, Related, Returned, conjunction
from permissions.reading.entries import InheritedRoleEntry
from permissions.reading.nodes import MetadataError, Position, Problem
from permissions.resolving.role_rules import Refused
from permissions.rules import DeleteRule, InsertRule, RoleRules, SelectRule, UpdateRule
from permissions.session import ADMIN
from schema.model import TableName

WriteRule = TypeVar("WriteRule", InsertRule, UpdateRule, DeleteRule)


def with_inherited_roles(
    roles: Mapping[str, RoleRules], entries: Sequence[InheritedRoleEntry], source: str, refused: Collection[Refused] = ()
) -> tuple[dict[str, RoleRules], list[Problem]]:
    """The roles and those that inherit from them, from the parents down. What a role was granted itself stands instead of what it inherits.

    Raises MetadataError where roles inherit from each other in a circle, as Hasura refuses such metadata as a whole. A role that names a
    parent that nothing else names is left out, and so are those that inherit from it. Where an own permission was `refused`, nothing is
    inherited in its place, where Hasura gives what the parents have: what was meant to be narrower would be all of it.
    """
    result, problems = dict(roles), list[Problem]()
    by_role = {entry.role: entry for entry in entries}
    for role in _parents_first(by_role):
        entry = by_role.get(role)
        if entry is None:
            continue
        unknown = [parent for parent in entry.parents if parent not in result or parent == ADMIN]
        if unknown:
            sentence = f"The inherited role {role} has the parent {unknown[0]}, which no permission names; it is left out."
            problems.append(Problem(entry.position, sentence))
            # Its own permissions alone would be another role than the one that was meant.
            result.pop(role, None)
            continue
        own = result.get(role, RoleRules(role))
        parents = [result[parent] for parent in entry.parents]
        result[role] = _Inheritance(entry, parents, source, problems, refused).over(own)
    return result, problems


def _parents_first(entries: Mapping[str, InheritedRoleEntry]) -> list[str]:
    try:
        return list(TopologicalSorter({role: entry.parents for role, entry in entries.items()}).static_order())
    except CycleError as error:
        circle = ",".join(f'"{role}"' for role in error.args[1])
        where = next(entries[role].position for role in error.args[1] if role in entries)
        raise MetadataError(Problem(where, f"found cycle(s) in roles: [{circle}]")) from None


class _Inheritance:
    """One inherited role; conflicts go to `problems`."""

    def __init__(
        self, entry: InheritedRoleEntry, parents: Sequence[RoleRules], source: str, problems: list[Problem], refused: Collection[Refused]
    ) -> None:
        self.entry, self.parents, self.source, self.problems, self.refused = entry, parents, source, problems, refused

    def over(self, own: RoleRules) -> RoleRules:
        """What is inherited, and in its place what the role's `own` permissions say."""
        tables = {table for parent in self.parents for table in parent.select if self.inherits("select", table)}
        inherited = {table: combined([p.select[table] for p in self.parents if table in p.select]) for table in sorted(tables)}
        return replace(
            own,
            select={**inherited, **own.select},
            insert=self.written("insert", own.insert, [parent.insert for parent in self.parents]),
            update=self.written("update", own.update, [parent.update for parent in self.parents]),
            delete=self.written("delete", own.delete, [parent.delete for parent in self.parents]),
            actions=own.actions.union(*[parent.actions for parent in self.parents]),
            functions=own.functions.union(*[parent.functions for parent in self.parents]),
        )

    def inherits(self, kind: str, table: TableName) -> bool:
        """Unless the role was to have a permission of its own."""
        return (self.entry.role, kind, table) not in self.refused

    def written(
        self, kind: str, own: Mapping[TableName, WriteRule], granted: Sequence[Mapping[TableName, WriteRule]]
    ) -> dict[TableName, WriteRule]:
        """Permissions to write are never mixed: all parents that have one have the same, or nobody can say what is meant."""
        result = dict(own)
        for table in sorted({table for rules in granted for table in rules} - own.keys()):
            if not self.inherits(kind, table):
                continue
            permissions: list[WriteRule] = [rules[table] for rules in granted if table in rules]
            first, others = permissions[0], permissions[1:]
            if all(_alike(first, other) for other in others):
                result[table] = first
            else:
                self.problems.append(Problem(self.position, self.conflict(kind, table)))
        return result

    @property
    def position(self) -> Position:
        return self.entry.position

    def conflict(self, kind: str, table: TableName) -> str:
        """In Hasura's words."""
        entity = f"{kind} permission, table: {table}, source: '{self.source}'"
        return f"Could not inherit permission for the role '{self.entry.role}' for the entity: '{entity}'"


def combined(rules: Sequence[SelectRule]) -> SelectRule:
    """Rows that any parent sees; a cell is shown where a parent that reads its column sees the row.

    A column that every parent reads is shown in all of these rows. Hasura: the limit is the largest that a parent has.
    """
    if len(rules) == 1:
        return rules[0]
    return SelectRule(
        columns=frozenset[str]().union(*[rule.columns for rule in rules]),
        filter=Or(tuple(rule.filter for rule in rules)),
        limit=max((rule.limit for rule in rules if rule.limit is not None), default=None),
        allow_aggregations=any(rule.allow_aggregations for rule in rules),
        computed_fields=frozenset[str]().union(*[rule.computed_fields for rule in rules]),
        query_root_fields=_any_root_field([rule.query_root_fields for rule in rules]),
        subscription_root_fields=_any_root_field([rule.subscription_root_fields for rule in rules]),
        redactions=_redactions(rules, [(rule.columns, rule.redactions) for rule in rules]),
        computed_redactions=_redactions(rules, [(rule.computed_fields, rule.computed_redactions) for rule in rules]),
    )


def _any_root_field(granted: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """None allows all."""
    allowed = frozenset[str]()
    for fields in granted:
        if fields is None:
            return None
        allowed |= fields
    return allowed


def _redactions(rules: Sequence[SelectRule], granted: Sequence[tuple[frozenset[str], Mapping[str, Expression]]]) -> dict[str, Expression]:
    """By column when its cells are shown. A parent that inherits itself shows a cell where its own parents do (Hasura once forgot that)."""
    redactions: dict[str, Expression] = {}
    for name in sorted(frozenset[str]().union(*[names for names, _ in granted])):
        shown = [
            conjunction([rule.filter, own[name]] if name in own else [rule.filter])
            for rule, (names, own) in zip(rules, granted, strict=True)
            if name in names
        ]
        if len(shown) < len(rules) or any(name in own for _, own in granted):
            redactions[name] = Or(tuple(shown))
    return redactions


def _alike(one: WriteRule, other: WriteRule) -> bool:
    """Hasura's `relevantEq`: the same but for the order of what holds together."""
    return _without_rules(one) == _without_rules(other) and _rules(one) == _rules(other)


def _without_rules(rule: WriteRule) -> WriteRule:
    match rule:
        case InsertRule():
            return replace(rule, check=FALSE)
        case UpdateRule():
            return replace(rule, filter=FALSE, check=FALSE)
        case DeleteRule():
            return replace(rule, filter=FALSE)


def _rules(rule: InsertRule | UpdateRule | DeleteRule) -> list[object]:
    match rule:
        case InsertRule():
            return [_unordered(rule.check)]
        case UpdateRule():
            return [_unordered(rule.filter), None if rule.check is None else _unordered(rule.check)]
        case DeleteRule():
            return [_unordered(rule.filter)]


def _unordered(expression: Expression) -> object:
    match expression:
        case And(terms) | Or(terms):
            return type(expression).__name__, sorted(repr(_unordered(term)) for term in terms)
        case Related(relationship, where) | Returned(relationship, where):
            return relationship, _unordered(where)
    return repr(expression)
