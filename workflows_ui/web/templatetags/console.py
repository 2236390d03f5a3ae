"""Template tags of the console: icons, states, moments, durations, JSON."""

from collections.abc import Sequence
from datetime import datetime

from django import template
from django.template import Context, Engine
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.launches.models import Launch
from workflows_ui.web import elements, icons, markdown, messages
from workflows_ui.web.links import view_url

register = template.Library()
register.simple_tag(icons.icon, name="icon")
register.simple_tag(icons.icon_url)
register.simple_tag(elements.badge)
register.simple_tag(elements.when)
register.simple_tag(elements.exact)
register.simple_tag(elements.menu_lines)
register.simple_tag(formats.clock)
register.simple_tag(formats.duration)


@register.simple_tag
def launch_badge(launch: Launch) -> SafeString:
    return elements.badge(messages.launch_badge(launch))


@register.simple_tag
def run_badge(status: object) -> SafeString:
    """Show the badge of a run's or step's status, with the engine's own value."""
    return elements.badge(messages.run_state(status))


@register.simple_tag
def flow_badge(status: object) -> SafeString:
    return elements.badge(messages.flow_state(status))


@register.simple_tag(takes_context=True)
def button(context: Context, item: elements.Button, classes: str) -> SafeString:
    """Show a button of a page; the page's `back` is where it leads back to."""
    csrf = elements.csrf_field(context.get("csrf_token"))
    return elements.button(item, classes, back=str(context.get("back", "")), csrf=csrf)


@register.simple_tag(takes_context=True)
def menu(context: Context, items: Sequence[elements.Button], name: str, *, compact: bool = False) -> SafeString:
    """Show buttons in a fold that is called `name`."""
    return elements.menu(items, name, csrf=elements.csrf_field(context.get("csrf_token")), compact=compact)


@register.simple_tag(takes_context=True)
def row_menu(context: Context, items: Sequence[elements.Button], name: str, row: str) -> SafeString:
    """Show buttons in the fold of a row, as lists have it. `row` is the id of the row in the id of the fold."""
    return elements.RowMenus("", elements.csrf_field(context.get("csrf_token"))).html(items, name, row)


@register.simple_tag
def clock_since(since: datetime) -> SafeString:
    """Show the time since a moment as `1:23`. It ticks (app.js), from the milliseconds that the server counted."""
    return elements.ticking(max(0, int((timezone.now() - since).total_seconds() * 1000)), since)


@register.simple_tag
def crumb(label: str, view: str = "", *arguments: str | int, url: str = "") -> SafeString:
    """Show a breadcrumb: a link to a view, or to a URL."""
    return elements.crumb(label, url or view_url(view, *arguments))


@register.inclusion_tag("web/json.html")
def json_block(value: object, id: str, label: str = "", *, limit: int = 500_000) -> dict[str, object]:
    """Show JSON in a collapsible block with a copy button. `id` is the element's id; secrets must be masked before."""
    return {"pretty": formats.pretty(value, limit), "id": id, "label": label or _("Raw data"), "open": False}


@register.inclusion_tag("web/json.html")
def text_block(text: str, id: str, label: str) -> dict[str, object]:
    return {"pretty": formats.Pretty(text, 0), "id": id, "label": label, "open": True}


@register.filter
def markdown_from_flow(text: str) -> SafeString:
    """Show Markdown that a flow sent, formatted; what could do or load something is left out."""
    return markdown.html_from_flow(text)


@register.simple_block_tag
def part(content: SafeString) -> SafeString:
    """The content, for a page that shows it twice: `{% part as name %}`."""
    return content


@register.simple_block_tag(takes_context=True)
def form_card(
    context: Context,
    content: SafeString,
    submit: str,
    cancel: str,
    *,
    columns: str = "col-lg-7 col-xl-6",
    **options: str,
) -> SafeString:
    """Show a form, with the button that sends it to `action`, else to the page's address, and the link that does not send it.

    `danger` is the colour of a button that stops (`outline-danger`) or destroys something (`danger`). The link, which `keep` names, then
    comes first and has the focus. `delete` is the text of a second button, which posts `delete`.
    """
    unset = dict.fromkeys(("action", "autocomplete", "danger", "delete", "keep"), "")
    values = {"content": content, "submit": submit, "cancel": cancel, "columns": columns}
    return _rendered(context, "web/form_card.html", **unset | options | values)


@register.simple_block_tag(takes_context=True)
def empty(context: Context, content: SafeString, icon_name: str, title: str, text: str = "") -> SafeString:
    """Show that there is nothing, and why; the content is what can be done about it."""
    return _rendered(context, "web/empty.html", content=content, icon_name=icon_name, title=title, text=text)


@register.simple_block_tag(takes_context=True)
def table(
    context: Context,
    content: SafeString,
    *headings: str,
    classes: str = "table-vcenter table-mobile-sm card-table",
    **options: object,
) -> SafeString:
    """Show a table, whose rows are the content. `actions` adds a column for buttons, `caption` names the table to screen readers."""
    values = {"content": content, "headings": headings, "classes": classes}
    return _rendered(context, "web/table.html", **{"actions": False, "caption": ""} | options | values)


def _rendered(context: Context, template: str, **values: object) -> SafeString:
    with context.push(**values):
        return Engine.get_default().get_template(template).render(context)
