"""Forms of launches: the filters of the list, the settlement of an unclear launch."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from workflows_ui.launches.models import KEPT, OPEN, SEARCHED_FOR, UNSENT, Launch, Reason, State
from workflows_ui.launches.services import launches
from workflows_ui.lists.filters import DaysForm
from workflows_ui.members.models import Workspace
from workflows_ui.run_index.services import launch_words
from workflows_ui.web.form_rendering import LongSelect

#: Choices of the state filter: states with the same label are one choice.
STATES: dict[str, tuple[Any, Q]] = {
    "open": (_("Not ended yet"), OPEN),
    "problem": (_("Problems: failed, not run or unclear"), launches.PROBLEM),
    "waiting": (State.QUEUED.label, Q(state__in=UNSENT, kept=False)),
    "kept": (_("Kept until the engine is back"), KEPT),
    **{str(state): (state.label, Q(state=state)) for state in State if state not in {State.QUEUED, State.CLAIMED}},
    str(State.UNKNOWN): (State.UNKNOWN.label, Q(state=State.UNKNOWN) & ~SEARCHED_FOR),
    str(Reason.NO_TRACE): (Reason.NO_TRACE.label, Q(state=State.UNKNOWN, reason=Reason.NO_TRACE)),
}
#: Said of a search for parts of words that finds very many launches.
MORE = _("Not all launches with these words are listed: only the newest and some others. Add a word, or choose days.")


class FilterForm(DaysForm):
    """Filters of the list of launches. Persons and flows are offered from the rows; the query string may name others."""

    main_filters = ("state", "flow", "period")
    field_order = ("search", "flow", "person", "state", "credential", "period", "since", "until", "id")
    search = forms.CharField(
        label=_("Flow's name, or a searchable value"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    flow = forms.CharField(label=_("Flow"), required=False, max_length=64, widget=LongSelect)
    person = forms.IntegerField(label=_("Person"), required=False, min_value=1, max_value=2**31, widget=forms.Select)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Any")), *((name, label) for name, (label, _q) in STATES.items())],
    )
    credential = forms.ChoiceField(label=_("Credential"), required=False)
    id = forms.CharField(label=_("ID of the launch or its run"), required=False, max_length=64)

    def matching(self, workspace: Workspace, rows: QuerySet[Launch]) -> tuple[QuerySet[Launch], bool]:
        """Those of these launches of the workspace that the valid, filled fields choose, and whether these are all that the search finds.

        Days are in the person's time zone.
        """
        data, query = self.filled(), self.within("asked_at")
        if "flow" in data:
            query &= Q(flow_id=data["flow"])
        if "person" in data:
            query &= Q(user_id=data["person"])
        if "state" in data:
            query &= STATES[data["state"]][1]
        if "credential" in data:
            query &= Q(credential=data["credential"])
        if "id" in data:
            query &= Q(pk=data["id"].strip()) | Q(run_id=data["id"].strip())
        rows = rows.filter(query)
        if "search" not in data:
            return rows, True
        found = launch_words.found_by(workspace, data["search"], rows)
        return rows.filter(launches.with_text(data["search"]) | found.condition), found.complete


class SettleForm(forms.Form):
    """Whether an unclear launch ran, and how the person knows."""

    ran = forms.ChoiceField(choices=[("yes", ""), ("no", "")])
    why = forms.CharField(
        label=_("How do you know?"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept with the launch and in the audit log."),
        error_messages={"required": _("Say in a few words how you know.")},
    )
