"""Template tags of the console: icons, states, moments, durations, JSON."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from workflows_ui.launches.models import Launch
from workflows_ui.web import formats, icons, messages

register = template.Library()
register.simple_tag(icons.icon, name="icon")


@register.inclusion_tag("web/badge.html")
def launch_badge(launch: Launch) -> dict[str, Any]:
    return {"state": messages.launch_badge(launch)}


@register.inclusion_tag("web/badge.html")
def run_badge(status: object) -> dict[str, Any]:
    """Show the badge of a run's or step's status, with the engine's own value."""
    return {"state": messages.run_state(status)}


@register.inclusion_tag("web/badge.html")
def flow_badge(status: object) -> dict[str, Any]:
    return {"state": messages.flow_state(status)}


@register.simple_tag
def when(value: Any) -> SafeString | str:
    """Show a moment (datetime or the engine's ISO text) relative to now, with the exact one in the current zone as its title."""
    moment = formats.moment(value)
    if moment is None:
        return format_html('<span class="text-secondary" title="{}">–</span>', _("not known"))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), formats.exact(moment), formats.relative(moment)
    )


@register.simple_tag
def exact(value: Any) -> SafeString | str:
    moment = formats.moment(value)
    if moment is None:
        return "–"
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), formats.exact(moment))


@register.simple_tag
def duration(milliseconds: Any) -> str:
    return formats.duration(milliseconds)


@register.inclusion_tag("web/json.html")
def json_block(value: Any, id: str, label: str = "", *, limit: int = 500_000) -> dict[str, Any]:
    """Show JSON in a collapsible block with a copy button. `id` is the element's id; secrets must be masked before."""
    return {"pretty": formats.pretty(value, limit), "id": id, "label": label or _("Raw data"), "open": False}


@register.inclusion_tag("web/json.html")
def text_block(text: str, id: str, label: str) -> dict[str, Any]:
    return {"pretty": formats.Pretty(text, 0), "id": id, "label": label, "open": True}
