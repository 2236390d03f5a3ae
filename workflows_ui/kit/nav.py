"""What surrounds every page: the menu, the workspace switcher, the breadcrumbs."""

from typing import Any

from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context of base.html."""
    return {}
