"""The GraphQL types of one table that reading needs: the row, its boolean expression, its order, its column names."""

from collections.abc import Iterator
from functools import partial

from schema.model import Catalog, ComputedField, PgType, Relationship, TableName, TrackedTable
from schema.table_types.comparison_types import comparison
from schema.table_types.definitions import Definitions, Element, argument, key, output
from schema.table_types.function_arguments import computed_field_arguments
from schema.table_types.meaning import Argument, Logic, OfColumn, OfComputedField, OfRelationship, OfRelationshipAggregate
from schema.table_types.scalars import INT, STRING

ORDER = ("asc", "asc_nulls_first", "asc_nulls_last", "desc", "desc_nulls_first", "desc_nulls_last")


class TableTypes:
    """Builds the types of each table of a catalog; the classes of all tables live in one `Definitions`."""

    def __init__(self, catalog: Catalog, definitions: Definitions) -> None:
        self._catalog, self._definitions = catalog, definitions
        self._arguments: dict[TableName, list[Element]] = {}
        orders = [(definitions.naming.enum_value(order), order) for order in ORDER]
        definitions.enum("order_by", orders, description="column ordering options", describe=_order)

    def define(self, table: TrackedTable) -> None:
        definitions, named = self._definitions, partial(self._definitions.naming.type_name, table.base)
        definitions.object_type(named(), self._row(table), description=table.comment)
        definitions.input(
            named("bool_exp"),
            self._bool_exp(table),
            description=f"Boolean expression to filter rows from the table \"{table.name}\". All fields are combined with a logical 'AND'.",
        )
        definitions.input(
            named("order_by"), self._order_by(table), description=f'Ordering options when selecting data from "{table.name}".'
        )
        columns = [(column.graphql_name, OfColumn(table.name, column.name)) for column in table.columns.values()]
        words = f'select columns of table "{table.name}"'
        definitions.enum(named("select_column"), columns, description=words, describe=lambda _: "column name")

    def arguments(self, table: TrackedTable) -> list[Element]:
        """The arguments of every list of rows of `table`."""
        known = self._arguments.get(table.name)
        if known is None:
            known = self._arguments[table.name] = self._new_arguments(table)
        return known

    def _new_arguments(self, table: TrackedTable) -> list[Element]:
        types, named = self._definitions, self._definitions.naming.field
        return [
            argument(
                named("distinct_on"),
                types.of(table, "select_column").listed | None,
                Argument("distinct_on"),
                description="distinct select on columns",
            ),
            argument("limit", INT | None, Argument("limit"), description="limit the number of rows returned"),
            argument("offset", INT | None, Argument("offset"), description="skip the first n rows. Use only with order_by"),
            argument(
                named("order_by"),
                types.of(table, "order_by").listed | None,
                Argument("order_by"),
                description="sort the rows by one or more columns",
            ),
            argument("where", types.of(table, "bool_exp") | None, Argument("where"), description="filter the rows returned"),
        ]

    def _target(self, relationship: Relationship) -> TrackedTable:
        return self._catalog[relationship.target]

    def _row(self, table: TrackedTable) -> Iterator[Element]:
        for column in table.columns.values():
            type_ = self._definitions.value(column.type)
            type_ = type_ | None if column.nullable else type_
            meaning = OfColumn(table.name, column.name)
            yield output(column.graphql_name, type_, meaning, arguments=_path(column.type), description=column.comment)
        for computed in table.computed_fields.values():
            yield self._computed(table, computed)
        for relationship in table.relationships.values():
            yield from self._relationship(table, relationship)

    def _computed(self, table: TrackedTable, computed: ComputedField) -> Element:
        meaning, arguments = OfComputedField(table.name, computed.name), computed_field_arguments(self._definitions, table, computed)
        if computed.type is not None:
            arguments += _path(computed.type)
            return output(
                computed.name, self._definitions.value(computed.type) | None, meaning, arguments=arguments, description=computed.comment
            )
        target = self._catalog[computed.function.table]
        rows = self._definitions.of(target).listed
        arguments += self.arguments(target)
        return output(computed.name, rows | None, meaning, arguments=arguments, description=computed.comment)

    def _relationship(self, table: TrackedTable, relationship: Relationship) -> Iterator[Element]:
        target, name, comment = self._target(relationship), relationship.name, relationship.comment
        row = self._definitions.of(target)
        meaning = OfRelationship(table.name, name)
        if relationship.kind == "object":
            yield output(name, row | None if relationship.nullable else row, meaning, description=comment or "An object relationship")
            return
        yield output(name, row.listed, meaning, arguments=self.arguments(target), description=comment or "An array relationship")
        aggregate, aggregate_name = self._definitions.of(target, "aggregate"), self._definitions.naming.aggregate_of(name)
        meaning_of_aggregate = OfRelationshipAggregate(table.name, name)
        yield output(
            aggregate_name, aggregate, meaning_of_aggregate, arguments=self.arguments(target), description="An aggregate relationship"
        )

    def _bool_exp(self, table: TrackedTable) -> Iterator[Element]:
        own = self._definitions.of(table, "bool_exp")
        yield key("_and", own.listed | None, Logic("_and"))
        yield key("_not", own | None, Logic("_not"))
        yield key("_or", own.listed | None, Logic("_or"))
        for column in table.columns.values():
            type_ = comparison(self._definitions, column.type)
            yield key(column.graphql_name, type_ | None, OfColumn(table.name, column.name))
        for computed in _of_row_alone(table):
            meaning = OfComputedField(table.name, computed.name)
            if computed.type is None:
                type_ = self._definitions.of(self._catalog[computed.function.table], "bool_exp")
                yield key(computed.name, type_ | None, meaning)
            else:
                type_ = comparison(self._definitions, computed.type)
                yield key(computed.name, type_ | None, meaning)
        for relationship in table.relationships.values():
            target = self._definitions.of(self._target(relationship), "bool_exp")
            yield key(relationship.name, target | None, OfRelationship(table.name, relationship.name))
            if relationship.kind == "array":
                predicates = self._definitions[self._definitions.naming.predicate(self._target(relationship).base)]
                aggregate_name = self._definitions.naming.aggregate_predicate(relationship.name)
                yield key(aggregate_name, predicates | None, OfRelationshipAggregate(table.name, relationship.name))

    def _order_by(self, table: TrackedTable) -> Iterator[Element]:
        order = self._definitions["order_by"]
        for column in table.columns.values():
            yield key(column.graphql_name, order | None, OfColumn(table.name, column.name))
        for computed in _of_row_alone(table):
            meaning = OfComputedField(table.name, computed.name)
            if computed.type is None:
                type_ = self._definitions.of(self._catalog[computed.function.table], "aggregate_order_by")
                name = self._definitions.naming.aggregate_order(computed.name)
                yield key(name, type_ | None, OfRelationshipAggregate(table.name, computed.name))
            else:
                yield key(computed.name, order | None, meaning)
        for relationship in table.relationships.values():
            target, name = self._target(relationship), relationship.name
            if relationship.kind == "object":
                yield key(name, self._definitions.of(target, "order_by") | None, OfRelationship(table.name, name))
            else:
                type_ = self._definitions.of(target, "aggregate_order_by")
                yield key(self._definitions.naming.aggregate_order(name), type_ | None, OfRelationshipAggregate(table.name, name))


def _order(order: str) -> str:
    """Hasura's words: PostgreSQL sorts nulls last, and first where it descends."""
    direction, _, nulls = order.partition("_nulls_")
    ending = nulls or ("last" if direction == "asc" else "first")
    return f"in {direction}ending order, nulls {ending}"


def _path(type_: PgType) -> list[Element]:
    """Hasura: of a JSON value a part may be selected."""
    if type_.is_array or type_.name not in ("json", "jsonb"):
        return []
    return [argument("path", STRING | None, Argument("path"), description="JSON select path")]


def _of_row_alone(table: TrackedTable) -> Iterator[ComputedField]:
    """Hasura: what takes more than the row, and the session, can't be compared or ordered by."""
    return (computed for computed in table.computed_fields.values() if not computed.function.given)
