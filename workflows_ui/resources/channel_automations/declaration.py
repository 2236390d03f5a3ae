"""Channel automations: they answer in Imbrace's channels, such as a web chat, with a flow (api.md section 17).

They are Imbrace's own service beside the engine: a plain Activepieces has none, and the console only reads them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django import forms
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Message
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.members.models import Flavour
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.places import link_to
from workflows_ui.resource_admin.resource import Column, Page, Query, Resource, Row, Subject, Text, id_at
from workflows_ui.usage import usage

#: Types of channels by the engine's names; it does not list its own, and accepts any (api.md section 17).
TYPES: dict[str, Text] = {
    "web": _("Web chat"),
    "whatsapp": "WhatsApp",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "line": "LINE",
    "telegram": "Telegram",
    "wechat": "WeChat",
    "email": _("Email"),
}
#: Keys for the name and id of the flow behind an automation, once looked up.
_FLOW, _FLOW_NAME = "consoleFlow", "consoleFlowName"
_NONE_HERE = Message(
    _("This engine has no channel automations"),
    _("Channels belong to Imbrace. The engine of this workspace is without them."),
)


class ChannelFilters(forms.Form):
    """The filter of the list; the engine applies it."""

    channel = forms.CharField(label=_("Channel"), required=False, max_length=60, widget=forms.Select)


def state(row: Row) -> Badge:
    """Whether it is on; the engine may not say."""
    active = row.get("active")
    if active is True:
        return Badge(pgettext_lazy("automation", "On"), "circle-dot", "green")
    if active is False:
        return Badge(pgettext_lazy("automation", "Off"), "circle-minus", "secondary")
    return Badge(_("Not known"), "circle-question-mark", "secondary")


def _tags(row: Row) -> list[str]:
    return [name for tag in dicts_at(row, "tags") if (name := text_at(tag, "name"))]


def _flow(row: Row) -> str:
    return text_at(row, _FLOW_NAME)


class ChannelAutomations(Resource):
    name = "channel-automations"
    needs = "channel-automations"
    label, label_plural = _("Channel automation"), _("Channel automations")
    icon, group, menu_order = "messages-square", "watch", 30
    empty = _("No channel of the organization has an automation")
    empty_hint = _("Automations are set up for a channel in Imbrace; here you see them, and the flow behind each.")
    filters = ChannelFilters
    #: The engine has no call for a single one.
    recipe = ("/channel-service/v1/workflows/channel_automation", "workflows.list_channel_automation()")
    list_display = (
        Column(lambda row: text_at(row, "name") or _("Without a name"), _("Name"), link=True, name="name"),
        Column(state, _("State"), kind="badge"),
        Column(_tags, _("Tags"), kind="list", phone=False),
        Column(_flow, _("Flow behind it"), link=link_to("flows", _FLOW), sort=False),
    )
    details = (
        Column("name", _("Name")),
        Column(_flow, _("Flow behind it"), link=link_to("flows", _FLOW)),
        Column(_tags, _("Tags"), kind="list"),
        Column("id", _("Engine ID"), kind="id"),
    )

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page of all automations, in the engine's order: the engine gives them in one answer. A second, cached call finds flows."""
        try:
            rows = _load(session, query.filters.get("channel"))
        except NotFound:
            return Page((), refused=_NONE_HERE)
        page = whole_lists.page(rows, query)
        return replace(page, rows=_with_flows(session, page.rows))

    def get(self, session: EngineSession, id: str) -> Row:
        """The automation, from the list of all: the engine has no call for one. Raises NotFound."""
        automation = next((row for row in _load(session) if row.get("id") == id), None)
        if automation is None:
            raise NotFound("The list of channel automations does not hold this id.", code="ENTITY_NOT_FOUND")
        return _with_flows(session, [automation])[0]

    def choices(self, session: EngineSession) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """The known types; none if there are no channels."""
        return {"channel": [*TYPES.items()] if session.workspace.flavour == Flavour.IMBRACE else []}

    def raw(self, subject: Subject) -> dict[str, object]:
        """Without the keys that the console adds."""
        return {"value": {key: value for key, value in subject.object.items() if key not in (_FLOW, _FLOW_NAME)}}


def _load(session: EngineSession, channel: str | None = None) -> list[dict[str, object]]:
    return whole_lists.rows_of(session.workflows.list_channel_automation(channel))


def _with_flows(session: EngineSession, rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows with id and name of their flow, if this workspace has one with the automation's id."""
    if not rows:
        return []
    known = {flow.id: flow.name or flow.id for flow in usage.cached_usage(session).flows}
    return [
        {**row, _FLOW: id_at(row), _FLOW_NAME: known[id_at(row)]} if id_at(row) in known else dict(row) for row in rows
    ]
