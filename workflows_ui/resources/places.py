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


def flows_url(slug: str, folder: str) -> str:
    """The list of the flows in a folder."""
    if not folder:
        return ""
    return reverse("resource_list", kwargs={"slug": slug, "resource": "flows"}, query={"folder": folder})


def _object(slug: str, resource: str, id: Any) -> str:
    key = id_at({"id": id})
    return reverse("resource_detail", kwargs={"slug": slug, "resource": resource, "id": key}) if key else ""
