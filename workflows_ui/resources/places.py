"""Addresses of the pages that resources link to one another; "" where there is no id."""

from typing import Any

from django.urls import reverse

from workflows_ui.kit.resource import id_at


def flow_url(slug: str, id: Any) -> str:
    """A flow's page."""
    return _object(slug, "flows", id)


def folder_url(slug: str, id: Any) -> str:
    """A folder's page."""
    return _object(slug, "folders", id)


def run_url(slug: str, id: Any) -> str:
    """A run's page."""
    return _object(slug, "runs", id)


def piece_url(slug: str, name: Any) -> str:
    """A piece's page, by its whole name."""
    return _object(slug, "pieces", name)


def connection_url(slug: str, id: Any) -> str:
    """A connection's page."""
    return _object(slug, "connections", id)


def mcp_url(slug: str, id: Any) -> str:
    """An MCP server's page."""
    return _object(slug, "mcp-servers", id)


def flows_url(slug: str, folder: str) -> str:
    """The list of the flows in a folder."""
    if not folder:
        return ""
    return reverse("resource_list", kwargs={"slug": slug, "resource": "flows"}, query={"folder": folder})


def _object(slug: str, resource: str, id: Any) -> str:
    key = id_at({"id": id})
    return reverse("resource_detail", kwargs={"slug": slug, "resource": resource, "id": key}) if key else ""
