"""How Strawberry executes what the compiler does not answer: JSON made by PostgreSQL passes through untouched."""

from collections.abc import Iterator
from typing import Any

import orjson
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class SplicingExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor with two changes; both are no public API, so the versions are pinned and a test guards them."""

    def complete_value(self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, *rest: Any) -> Any:
        """Rows that PostgreSQL turned into JSON are complete: a hidden row may be null where the type says non-null, as in Hasura."""
        if type(result) is orjson.Fragment:
            return result
        return super().complete_value(return_type, field_details_list, info, path, result, *rest)

    def build_per_event_executor(self, payload: Any) -> Any:
        """graphql-core shares a cache between the events of a subscription that can never hit and grows by 3 kB an event."""
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        return executor


class PreparedDocument(SchemaExtension):
    """Hands over the document that the walk has parsed, validated and rewritten."""

    def on_operation(self) -> Iterator[None]:
        self.execution_context.graphql_document = self.execution_context.context.document
        self.execution_context.validation_rules = ()
        yield
