"""GraphQL enums of enum tables."""

from schema.model import TrackedTable
from schema.table_types.definitions import Definitions


def define_enum(definitions: Definitions, table: TrackedTable) -> None:
    """The enum of a table that is one; columns of any table may have it."""
    if table.enum is None:
        return
    name = table.enum.type.name
    comments = {value.name: value.comment for value in table.enum.values}
    definitions.enum(name, table.enum.type.values, description=table.comment, describe=comments.get)
