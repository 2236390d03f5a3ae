"""The remote kinds of things, in menu order."""

from workflows_ui.kit.resource import Resource

RESOURCES: tuple[Resource, ...] = ()
