"""Channel automations: what answers in Imbrace's channels, such as a web chat, with the flow behind it (api.md section 17).

They are Imbrace's own service beside the engine: a plain Activepieces has none, and the console can only look.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.engine import NotFound
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Column, Facts, Page, Panel, Query, Resource, Row, Subject, Text, id_at, pick
from workflows_ui.kit.words import StateWord, Words
from workflows_ui.models import Flavour
from workflows_ui.resources import usage, whole_lists
from workflows_ui.resources.places import flow_url

#: Types of channels by the engine's names; it does not list its own, and takes any (api.md section 17).
TYPES: dict[str, Text] = {
    "web": _("Web chat"),
    "whatsapp": "WhatsApp",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "line": "LINE",
    "telegram": "Telegram",
    "wechat": "WeChat",
    "email": _("E-mail"),
}
#: Where the name of the flow behind it is put, once that has been looked up.
_FLOW, _FLOW_NAME = "consoleFlow", "consoleFlowName"
_NONE_HERE = Words(
    _("This engine has no channel automations"),
    _("Channels belong to Imbrace. The engine of this workspace is without them."),
)


class ChannelFilters(forms.Form):
    """The filter of the list; the engine applies it."""

    channel = forms.CharField(
        label=_("Channel"), required=False, max_length=60, widget=forms.Select({"class": "form-select"})
    )


def title(row: Row) -> str:
    """What an automation is called; may be empty."""
    found = row.get("name")
    return found if isinstance(found, str) else ""


def state(row: Row) -> StateWord:
    """Whether it is on; the engine may not say."""
    active = row.get("active")
    if active is True:
        return StateWord(pgettext_lazy("automation", "On"), "toggle-on", "green")
    if active is False:
        return StateWord(pgettext_lazy("automation", "Off"), "toggle-off", "secondary")
    return StateWord(_("Not known"), "circle-question", "secondary")


def _tags(row: Row) -> list[str]:
    found = row.get("tags")
    names = [pick(tag, "name") for tag in found] if isinstance(found, list) else []
    return [name for name in names if isinstance(name, str) and name]


def _flow(row: Row) -> str:
    return str(row.get(_FLOW_NAME) or "")


def _flow_url(slug: str, row: Row) -> str:
    return flow_url(slug, row.get(_FLOW))


def _raw(subject: Subject) -> dict[str, Any]:
    sent = {key: value for key, value in subject.object.items() if key not in (_FLOW, _FLOW_NAME)}
    return {"value": sent, "id": "raw", "title": _("The automation as the engine lists it (JSON)")}


class ChannelAutomations(Resource):
    """What answers in the organization's channels."""

    name = "channel-automations"
    needs = "channel-automations"
    label, label_plural = _("Channel automation"), _("Channel automations")
    icon, group = "comments", "watch"
    empty = _("No channel of the organization has an automation")
    empty_hint = _("Automations are set up for a channel in Imbrace; here you see them, and the flow behind each.")
    filters = ChannelFilters
    list_display = (
        Column(lambda row: title(row) or _("Without a name"), _("Name"), link=True),
        Column(state, _("State"), kind="badge"),
        Column(_tags, _("Tags"), kind="list", phone=False),
        Column(_flow, _("Flow behind it"), link=_flow_url),
    )
    panels = (
        Facts(
            _("Facts"),
            (
                Column(title, _("Name")),
                Column(_flow, _("Flow behind it"), link=_flow_url),
                Column(_tags, _("Tags"), kind="list"),
                Column("id", _("Id in the engine"), kind="code"),
            ),
        ),
        Panel("", "kit/panels/raw.html", _raw),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """A part of all automations, in the engine's order, which it gives at once. A second call finds flows, remembered."""
        try:
            rows = _asked(caller, query.filters.get("channel"))
        except NotFound:
            return Page((), refused=_NONE_HERE)
        page = whole_lists.page(rows, query)
        return replace(page, rows=_with_flows(caller, page.rows))

    def get(self, caller: Caller, id: str) -> Row:
        """The automation, looked for in the list of all: the engine has no call for one. Raises NotFound."""
        found = next((row for row in _asked(caller) if row.get("id") == id), None)
        if found is None:
            raise NotFound("The list of channel automations does not hold this id.", code="ENTITY_NOT_FOUND")
        return _with_flows(caller, [found])[0]

    def call(self, id: str) -> tuple[str, str, str]:
        """The gateway's call for all of them: there is none for one."""
        return "GET", "/channel-service/v1/workflows/channel_automation", "workflows.list_channel_automation()"

    def choices(self, caller: Caller) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """The types that are known; none where there are no channels."""
        return {"channel": [*TYPES.items()] if caller.workspace.flavour == Flavour.IMBRACE else []}

    def title(self, row: Row) -> str:
        """Its name."""
        return title(row)

    def badge(self, row: Row) -> StateWord:
        """Whether it is on."""
        return state(row)


def _asked(caller: Caller, channel: str | None = None) -> list[dict[str, Any]]:
    rows = caller.workflows.list_channel_automation(channel).get("data") or []
    found = {str(row.get("id")): row for row in rows if isinstance(row, dict)}
    return [*found.values()]


def _with_flows(caller: Caller, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows, with id and name of the flow where this workspace has one with the automation's id."""
    if not rows:
        return []
    known = {flow.id: flow.name or flow.id for flow in usage.remembered(caller).flows}
    return [
        {**row, _FLOW: id_at(row), _FLOW_NAME: known[id_at(row)]} if id_at(row) in known else dict(row) for row in rows
    ]
