"""Forms of failures: the filters of their list, and the actions on one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.accounts.models import User
from workflows_ui.core import clock
from workflows_ui.core.form_choices import set_choices, set_flow_choices
from workflows_ui.failures.models import PatternState
from workflows_ui.failures.services import ENDLESS, LONGEST, Pattern

#: The value of the filter for every state.
_ALL = "all"
#: The value of the filter for what is assigned to the person.
_ME = "me"
#: Lengths of snoozes by their name in the form; None: it does not end.
_SNOOZES = {"day": timedelta(days=1), "week": timedelta(weeks=1), "endless": None}


class FilterForm(forms.Form):
    """The filters; without a state, the open patterns. `patterns` are all that the list has, `user_id` is the person's primary key."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", PatternState.OPEN.label),
            *((state.value, state.label) for state in PatternState if state != PatternState.OPEN),
            (_ALL, pgettext_lazy("states", "All")),
        ],
    )
    flow = forms.ChoiceField(label=_("Flow"), required=False)
    assigned = forms.ChoiceField(
        label=_("Assigned to"),
        required=False,
        choices=[("", pgettext_lazy("assigned to", "All")), (_ME, pgettext_lazy("assigned to", "Me"))],
    )

    def __init__(self, data: Mapping[str, object], *, patterns: Sequence[Pattern] = (), user_id: int = 0) -> None:
        super().__init__(data)
        self._user_id = user_id
        # The newest name of each flow.
        set_flow_choices(self, {pattern.newest.flow_id: pattern.newest.flow_name for pattern in reversed(patterns)})

    def chosen(self, patterns: Sequence[Pattern]) -> list[Pattern]:
        """The patterns that match a valid form."""
        state, flow = self.cleaned_data["state"] or PatternState.OPEN, self.cleaned_data["flow"]
        everybody = self.cleaned_data["assigned"] != _ME
        return [
            pattern
            for pattern in patterns
            if state in {_ALL, pattern.state.value}
            and flow in {"", pattern.newest.flow_id}
            and (everybody or (pattern.row and pattern.row.assigned_to_id == self._user_id))
        ]


class AssignForm(forms.Form):
    """Who is responsible. `people` are the members to choose from."""

    person = forms.ChoiceField(label=_("Assigned to"), required=False)

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        initial: dict[str, object] | None = None,
        people: Iterable[User],
    ) -> None:
        super().__init__(data, initial=initial)
        self._people = {str(person.pk): person for person in people}
        names = ((key, person.label) for key, person in self._people.items())
        set_choices(self, "person", [("", _("No one")), *names])

    def clean_person(self) -> User | None:
        return self._people.get(self.cleaned_data["person"])


class SnoozeForm(forms.Form):
    # Not required: the first choice is preselected, and the mark of required fields would be noise.
    time = forms.ChoiceField(
        label=_("Snooze"),
        required=False,
        choices=[("day", _("For a day")), ("week", _("For a week")), ("endless", _("Until it is reopened"))],
    )

    @property
    def until(self) -> datetime:
        """The end of the snooze of a valid form."""
        length = _SNOOZES[self.cleaned_data["time"] or "day"]
        return clock.now() + length if length else ENDLESS


class HelpedForm(forms.Form):
    """Whether the note helped."""

    helped = forms.ChoiceField(choices=[("yes", _("Yes")), ("no", _("No"))])


class NoteForm(forms.Form):
    """What to do about a failure; empty removes the note."""

    text = forms.CharField(
        label=_("What to do"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The cause, whom to ask, which button to use. It is shown on every run that fails like this."),
    )
