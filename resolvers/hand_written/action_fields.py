"""Hand-written root fields, found by scanning a package: what each module in it offers as `Query`, `Mutation` and `Subscription`."""

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from strawberry.types.base import has_object_definition
from strawberry.types.field import StrawberryField


@dataclass(frozen=True, slots=True)
class ActionFields:
    """Root fields beside those of the tables. Foreign metadata has none."""

    query: tuple[StrawberryField, ...] = ()
    mutation: tuple[StrawberryField, ...] = ()
    subscription: tuple[StrawberryField, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Those of the actions, which `actions.yaml` says who may call."""
        return frozenset(field.graphql_name for field in (*self.query, *self.mutation) if field.graphql_name is not None)


def scan(package: ModuleType) -> ActionFields:
    """The fields of the Strawberry types `Query`, `Mutation` and `Subscription` in the package's modules, at any depth, by module name.

    Who sees an action is said by `actions.yaml`; a hand-written subscription names its roles itself:
    `strawberry.subscription(metadata={ROLES: frozenset({"user"})})`. Admin sees all.
    """
    modules = [importlib.import_module(info.name) for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return ActionFields(_fields(modules, "Query"), _fields(modules, "Mutation"), _fields(modules, "Subscription"))


def _fields(modules: list[ModuleType], root: str) -> tuple[StrawberryField, ...]:
    types: list[Any] = [getattr(module, root) for module in modules if hasattr(module, root)]
    return tuple(field for type_ in types if has_object_definition(type_) for field in type_.__strawberry_definition__.fields)
