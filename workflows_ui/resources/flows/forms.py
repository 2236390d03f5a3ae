"""Forms of flows: filters and small actions."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Unpack, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.form_arguments import FormArguments
from workflows_ui.core.paths import dict_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flow_editing import changes
from workflows_ui.flows.reading import folder_choices, moment_of
from workflows_ui.flows.seen_form import CHANGED, SeenForm
from workflows_ui.lists.filters import state_field
from workflows_ui.resource_admin.resource import Affected, Row, id_at
from workflows_ui.web import messages


class FlowFilters(forms.Form):
    """Fields of pages.Filters. Folders, owners and connections are filled in from the engine."""

    main_filters = ("status", "folder", "owner", "connection")

    name = forms.CharField(label=_("Name contains"), required=False, max_length=200)
    status = state_field(messages.FLOW_STATES)
    folder = forms.CharField(label=_("Folder"), required=False, max_length=100, widget=forms.Select())
    owner = forms.CharField(label=_("Owner"), required=False, max_length=100, widget=forms.Select())
    connection = forms.CharField(label=_("Connection"), required=False, max_length=200, widget=forms.Select())


class FlowTags(forms.Form):
    """Tags of a flow; `tags` becomes a list without duplicates."""

    tags = forms.CharField(
        label=_("Tags"), max_length=1000, required=False, help_text=_("Words with commas between them; empty for none.")
    )

    def clean_tags(self) -> list[str]:
        tags = [" ".join(part.split()) for part in self.cleaned_data["tags"].split(",")]
        return list(dict.fromkeys(tag for tag in tags if tag))


class FolderChoice(forms.Form):
    folder = forms.ChoiceField(label=_("Folder"), required=False)

    def __init__(self, *, session: EngineSession, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        cast("forms.ChoiceField", self.fields["folder"]).choices = folder_choices(session)


class Publish(SeenForm):
    """Says what changes in what is live; `seen` is the draft that the page showed."""

    discreet = frozenset({"seen"})

    def __init__(
        self, *, session: EngineSession, row: Row, asked: Mapping[str, object], **arguments: Unpack[FormArguments]
    ) -> None:
        super().__init__(**arguments)
        self.questions = list[Affected]()
        # The form of many flows has no row.
        mark = moment_of(row) if row else ""
        self.initial["seen"] = mark
        seen = str(asked.get("seen") or "") if self.is_bound else ""
        if seen and seen != mark:
            self.questions = [Affected(CHANGED)]
            self.set_seen(mark)
        if row and (self.questions or not self.is_bound):
            self.questions += _goes_live(session, row)


def _goes_live(session: EngineSession, flow: Row) -> list[Affected]:
    """What differs between the draft and the version that is live; nothing if none is, or if the engine does not give it."""
    with suppress(EngineError):
        shown = Flow(flow)
        if published := shown.published_version_id:
            # Both unmasked, since two masked secrets are always alike; `lines` masks them.
            live, draft = (
                session.workflows.get_flow(id_at(flow), version) for version in (published, shown.version.id)
            )
            state = {"state": Flow(live).version.state}
            return changes.lines(session, live, {**live, "version": dict_at(draft, "version") | state})
    return []
