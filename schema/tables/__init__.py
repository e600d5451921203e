"""The product's tables, one file per noun.

In: nothing. Out: SQLAlchemy tables with a comment on each column, all of them in `metadata`.
"""

from importlib import import_module
from pkgutil import iter_modules

import sqlalchemy as sa

from schema.tables.columns import metadata, sealed_columns
from schema.tables.history import EPOCH

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["metadata", "note_history", "note_numberings", "sealed_columns"]


def note_numberings(reflected: sa.MetaData) -> None:
    """Tells the product's tables, as they were read from a database, what a database does not know: which columns count without gaps."""
    for table in reflected.tables.values():
        own = metadata.tables.get(table.name)
        if table.schema in (None, "public") and own is not None and "numbering" in own.info:
            table.info["numbering"] = own.info["numbering"]


def note_history(reflected: sa.MetaData) -> None:
    """Tells how to ask the product's database, as it was read, of which history it is."""
    reflected.info["epoch"] = EPOCH
