"""The metadata against a database: what is served, and whether it may be served at all."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
import structlog

from permissions.allow_list import AllowList
from permissions.api_limits import ApiLimits
from permissions.reading.entries import Metadata
from permissions.reading.nodes import MetadataError, Position, Problem
from permissions.resolving.inherited_roles import with_inherited_roles
from permissions.resolving.role_rules import role_rules
from permissions.resolving.tracked_tables import track_tables
from permissions.rules import RoleRules
from permissions.session import ADMIN
from schema.model import Catalog
from schema.pg_functions import PgFunction

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Tables and roles that are served, and what was left out of the metadata."""

    catalog: Catalog
    roles: Mapping[str, RoleRules]
    problems: tuple[Problem, ...]
    api_limits: ApiLimits = field(default_factory=ApiLimits)
    allow_list: AllowList = field(default_factory=AllowList)

    def rules(self, role: str) -> RoleRules:
        """What a role may do; a role that the metadata doesn't name may do nothing."""
        return self.roles.get(role) or RoleRules(role)


def resolve(
    metadata: Metadata,
    database: sa.MetaData,
    functions: Iterable[PgFunction],
    *,
    strict: bool,
    infer_functions: bool = True,
    numbers_as_text: bool = False,
    actions: Collection[str] | None = None,
) -> Resolved:
    """The catalog and the rules of every role. With `infer_functions` who may select from a table may call functions that only read it.
    `actions` are the names of those that there are; None: the metadata's are not served.

    Strict: raises MetadataError with all problems, and with every key that nobody knows, when there is one. Otherwise, as in Hasura,
    an inconsistent object is left out (with it goes whatever needs it) and logged.
    """
    catalog, untracked = track_tables(metadata, database, functions, numbers_as_text=numbers_as_text)
    roles, ungranted, refused = role_rules(metadata, catalog, infer_functions=infer_functions)
    roles, uninherited = with_inherited_roles(roles, metadata.inherited_roles, metadata.source, refused)
    problems = (*metadata.problems, *untracked, *ungranted, *uninherited, *_strangers(metadata, roles), *_unwritten(metadata, actions))
    roles |= {role: replace(roles.get(role) or RoleRules(role), introspection=False) for role in metadata.without_introspection}
    if strict and (problems or metadata.unknown):
        raise MetadataError(*problems, *metadata.unknown)
    for problem in problems:
        log.warning("metadata_inconsistent", problem=str(problem))
    for problem in () if strict else metadata.unused:
        log.warning("metadata_without_effect", problem=str(problem))
    return Resolved(catalog, roles, problems, metadata.api_limits, metadata.allow_list)


def _strangers(metadata: Metadata, roles: Mapping[str, RoleRules]) -> Iterator[Problem]:
    """Roles that requests are ruled for, or that are not told their schema, and that nobody has: slips of the pen, most likely."""
    for role, position in metadata.roles_of_requests.items():
        if role == ADMIN:
            yield Problem(position, "This has no effect: nothing of it holds for admin.")
        elif role not in roles:
            yield _stranger(role, position)
    yield from (_stranger(role, position) for role, position in metadata.without_introspection.items() if role not in roles)


def _stranger(role: str, position: Position) -> Problem:
    return Problem(position, f"No permission names the role {role}.")


def _unwritten(metadata: Metadata, actions: Collection[str] | None) -> Iterator[Problem]:
    """Actions that are no function of the service: who may call them can call nothing, and the one that was meant nobody can."""
    if actions is not None:
        absent = [action for action in metadata.actions if action.name not in actions]
        yield from (Problem(action.position, f"There is no action {action.name}.") for action in absent)
