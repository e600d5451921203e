"""Rows of tables inside hand-written payloads: `article { … }` of an action, compiled like any selection, with the caller's permissions.

    @strawberry.type
    class PublishArticlePayload:
        articleId: uuid
        article = table_row("article", key="articleId")

The payload holds the primary key and nothing else of the row. The field is nullable: a row that the caller may not see is null.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from strawberry.annotation import StrawberryAnnotation
from strawberry.types import Info
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from resolvers.hand_written.context import Context
from schema.table_types.meaning import MEANING, OfTableRow


class TableRowField(StrawberryField):
    """A field whose type is known only when the tables are."""

    @property
    def meaning(self) -> OfTableRow:
        """Of which table, by which key."""
        meaning: OfTableRow = self.metadata[MEANING]
        return meaning

    def over(self, row: Any) -> "TableRowField":
        """The field with its type; `row` is the class that stands for the row type of this engine's table."""
        annotation = StrawberryAnnotation(list[row] if self.meaning.many else row | None)
        resolver = StrawberryResolver(resolve_rows, type_override=None)
        field = TableRowField(
            self.python_name,
            self.graphql_name,
            annotation,
            base_resolver=resolver,
            description=self.description,
            metadata=self.metadata,
        )
        field.arguments = []
        return field


def table_row(table: str, *, key: str | Sequence[str], description: str | None = None) -> Any:
    """A payload field that answers with the row of `table` (its GraphQL name) whose primary key is in the attributes `key`.

    Null when the attribute is None, and when the caller may not see the row. Of payloads in a list, by a key of one column, the rows
    are read in one statement.
    """
    keys = (key,) if isinstance(key, str) else tuple(key)
    return _field(OfTableRow(table, keys, many=False), description)


def table_rows(table: str, *, keys: str, description: str | None = None) -> Any:
    """A payload field that answers with those rows of `table` that the caller may see among the primary keys in the list `keys`.

    Only for tables with a primary key of one column; rows come in the order of the list.
    """
    return _field(OfTableRow(table, (keys,), many=True), description)


def _field(meaning: OfTableRow, description: str | None) -> Any:
    # The type is a placeholder until `over`: Strawberry wants one when the payload's class is decorated.
    return TableRowField(
        None,
        None,
        StrawberryAnnotation(bool),
        base_resolver=StrawberryResolver(resolve_rows),
        description=description,
        metadata={MEANING: meaning},
    )


async def resolve_rows(root: Any, info: Info) -> orjson.Fragment | None:
    """Runs the plan that was compiled for this place of the document, with the payload's keys."""
    context: Context = info.context
    return await context.rows(info.path, root)
