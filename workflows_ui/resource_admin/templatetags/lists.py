"""Cells and rows of lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from workflows_ui.resource_admin import cells
from workflows_ui.resource_admin.resource import Column

register = template.Library()


@register.simple_tag(takes_context=True)
def cell(context: Context, column: Column, value: Any, url: str = "") -> SafeString:
    """Show a column's value, linked where there is a URL."""
    return cells.cell(context, column, value, url)


@register.simple_tag(takes_context=True)
def list_rows(context: Context, lines: Sequence[Mapping[str, Any]]) -> SafeString:
    """Show the rows of a list of declared resources."""
    return cells.rows(context, lines)
