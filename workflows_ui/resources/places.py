"""URLs of the pages that resources link to; "" without an id."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from workflows_ui.resource_admin.resource import id_at


def flow_url(slug: str, id: Any) -> str:
    return object_url(slug, "flows", id)


def folder_url(slug: str, id: Any) -> str:
    return object_url(slug, "folders", id)


def run_url(slug: str, id: Any) -> str:
    return object_url(slug, "runs", id)


def piece_url(slug: str, name: Any) -> str:
    """A piece's page, by its whole name."""
    return object_url(slug, "pieces", name)


def connection_url(slug: str, id: Any) -> str:
    return object_url(slug, "connections", id)


def mcp_url(slug: str, id: Any) -> str:
    return object_url(slug, "mcp-servers", id)


def flows_url(slug: str, folder: str) -> str:
    """The list of the flows in a folder."""
    return list_url(slug, "flows", folder=folder) if folder else ""


def list_url(slug: str, resource: str, **query: str | Sequence[str]) -> str:
    """A list, filtered by `query`."""
    return reverse("resource_list", kwargs={"slug": slug, "resource": resource}, query=query or None)


def object_url(slug: str, resource: str, id: Any) -> str:
    key = id_at({"id": id})
    return reverse("resource_detail", kwargs={"slug": slug, "resource": resource, "id": key}) if key else ""
