"""Template tags of the console: states, moments, durations, JSON."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.template.loader import get_template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from workflows_ui.kit import history as histories
from workflows_ui.kit import show, words

register = template.Library()


@register.inclusion_tag("kit/badge.html")
def state_badge(state: object) -> dict[str, Any]:
    """A launch's state: icon, word, colour."""
    return {"state": words.launch_state(state)}


@register.inclusion_tag("kit/badge.html")
def run_badge(status: object) -> dict[str, Any]:
    """A run's or a step's status: icon, word, colour, and the engine's own word for those who look for it."""
    return {"state": words.run_state(status)}


@register.inclusion_tag("kit/badge.html")
def flow_badge(status: object) -> dict[str, Any]:
    """A flow's status: icon, word, colour."""
    return {"state": words.flow_state(status)}


@register.simple_tag
def when(value: Any) -> SafeString | str:
    """A moment (datetime or the engine's ISO text): relative, the exact one in the person's zone on hover and for screen readers."""
    found = show.moment(value)
    if found is None:
        return format_html('<span class="text-secondary" title="{}">–</span>', _("not known"))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', found.isoformat(), show.exact(found), show.relative(found)
    )


@register.simple_tag
def exact(value: Any) -> SafeString | str:
    """A moment with date, seconds and zone."""
    found = show.moment(value)
    if found is None:
        return "–"
    return format_html('<time datetime="{}">{}</time>', found.isoformat(), show.exact(found))


@register.simple_tag
def duration(milliseconds: Any) -> str:
    """A length of time given in milliseconds."""
    return show.duration(milliseconds)


@register.simple_tag
def json_block(value: Any, id: str, label: str = "", *, open: bool = False, limit: int = 500_000) -> SafeString:
    """JSON in a fold with a copy button. `id` is the fold's id in the page; secrets must be masked before."""
    context = {"pretty": show.pretty(value, limit), "id": id, "label": label or _("Raw data"), "open": open}
    return SafeString(get_template("kit/json.html").render(context))  # nosec B703


@register.inclusion_tag("audit/history.html", takes_context=True)
def history(context: Mapping[str, Any], kind: str, id: Any = "", *, whole: bool = False) -> dict[str, Any]:
    """What was done to an object of this workspace, or to all of its kind; `whole` where the person may see all of it anyway."""
    place = context["request"].access
    return {"history": histories.of(place, kind, str(id), whole=whole), "place": place.workspace, "named": not id}


@register.inclusion_tag("audit/history.html", takes_context=True)
def history_outside(context: Mapping[str, Any], kind: str, id: Any) -> dict[str, Any]:
    """What was done to an object of no workspace; on pages of those who may see all of it."""
    return {"history": histories.outside(context["request"].user, kind, str(id)), "place": None, "named": False}


@register.inclusion_tag("kit/json.html")
def text_block(text: str, id: str, label: str) -> dict[str, Any]:
    """Text in an open fold with a copy button."""
    return {"pretty": show.Pretty(text, 0), "id": id, "label": label, "open": True}
