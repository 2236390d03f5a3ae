"""Cells and rows of lists."""

from collections.abc import Sequence

from django import template
from django.forms.boundfield import BoundField
from django.template import Context
from django.utils.safestring import SafeString

from workflows_ui.lists import cells
from workflows_ui.lists.declaration import Column
from workflows_ui.lists.lines import Line
from workflows_ui.web import elements

register = template.Library()


@register.simple_tag(takes_context=True)
def cell(context: Context, column: Column, value: object, url: str = "") -> SafeString:
    """Show a column's value, linked where there is a URL."""
    return cells.cell(context, column, value, url)


@register.simple_tag
def filter_options(field: BoundField) -> SafeString:
    """Show the boxes of a filter with several values; nothing if it has none. (Django would make a widget of each.)"""
    return elements.boxes(field.html_name, field.auto_id, field.field.widget.choices, field.value() or ())


@register.simple_tag(takes_context=True)
def list_rows(context: Context, lines: Sequence[Line]) -> SafeString:
    """Show the rows of a list of declared resources."""
    return cells.rows(context, lines)
