"""The product's tables, one file per noun.

In: nothing. Out: SQLAlchemy tables with a comment on each column, all of them in `metadata`.
"""

from importlib import import_module
from pkgutil import iter_modules

from schema.tables.columns import metadata

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["metadata"]
