"""The remote kinds of objects: every `Resource` declared in the `declaration.py` of a package here, or of a feature.

URLs, menu, permissions, audit and checks follow from this list.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from workflows_ui.resource_admin.resource import Resource
from workflows_ui.web.navigation import Entry

#: Kinds that are features of their own.
_FEATURES = ("workflows_ui.runs", "workflows_ui.tables")


def _declared() -> Iterator[Resource]:
    here = (f"{__name__}.{package.name}" for package in iter_modules(__path__) if package.ispkg)
    for package in (*here, *_FEATURES):
        name = f"{package}.declaration"
        if find_spec(name):
            for found in vars(import_module(name)).values():
                if isinstance(found, type) and issubclass(found, Resource) and found.__module__ == name:
                    yield found()


#: In menu order.
RESOURCES: tuple[Resource, ...] = tuple(sorted(_declared(), key=lambda found: (found.menu_order, found.name)))
#: The same by name.
BY_NAME: Mapping[str, Resource] = {found.name: found for found in RESOURCES}


def menu() -> list[Entry]:
    """Menu entries of the resources."""
    return [
        Entry(found.group, found.label_plural, found.icon, "resource_list", found.name, found.role, needs=found.needs)
        for found in RESOURCES
    ]
