"""The product's tables, one file per noun; `metadata` holds all of them."""

from importlib import import_module
from pkgutil import iter_modules

from schema.tables.columns import metadata

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["metadata"]
