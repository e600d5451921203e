"""Which documents a role may ask where only those that are listed are answered.

Hasura: `Hasura.RQL.Types.Allowlist`. Documents are compared as they are written, order included, but for white space and `__typename`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import DocumentNode, FieldNode, InlineFragmentNode, print_ast
from graphql.language import Visitor, visit

from permissions.errors import GraphQLRefusal
from permissions.session import ADMIN


@dataclass(frozen=True, slots=True)
class AllowList:
    """Normalized documents: those of everybody, and those of some roles beside them."""

    everybody: frozenset[str] = frozenset()
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def check(self, document: str, role: str) -> None:
        """Raises validation-failed for a normalized document that the role may not ask. Admin may ask everything."""
        if role != ADMIN and document not in self.everybody and document not in self.roles.get(role, frozenset()):
            raise GraphQLRefusal("validation-failed", "query is not allowed")


def normalized(document: DocumentNode) -> str:
    """The document by which it is compared. As in Hasura, `__typename` inside an inline fragment counts."""
    return print_ast(visit(document, _WithoutTypeNames()))


class _WithoutTypeNames(Visitor):
    def enter_field(self, node: FieldNode, *_: object) -> object:
        return self.REMOVE if node.name.value == "__typename" else None

    def enter_inline_fragment(self, _node: InlineFragmentNode, *_: object) -> object:
        return self.SKIP
