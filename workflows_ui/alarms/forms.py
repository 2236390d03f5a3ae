"""Forms of alarms: the filters of their list."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.alarms.models import Alarm, AlarmKind, AlarmState
from workflows_ui.core.collation import sort_key


class FilterForm(forms.Form):
    """The filters of the list of these alarms."""

    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("Any")), *AlarmState.choices])
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Any")), *AlarmKind.choices])
    flow = forms.ChoiceField(label=_("Flow"), required=False)

    def __init__(self, *args: Any, alarms: Sequence[Alarm] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The newest name of each flow; one that no alarm is about any more stays chosen.
        flows = {alarm.flow_id: alarm.flow_name for alarm in reversed(alarms)}
        chosen = str(self.data.get("flow", ""))[:64]
        choices = [(key, name or key) for key, name in ({chosen: ""} | flows).items() if key]
        field = self.fields["flow"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [("", _("Any")), *sorted(choices, key=lambda choice: sort_key(choice[1]))]

    def chosen(self, alarms: Sequence[Alarm]) -> list[Alarm]:
        """Those of the alarms that a valid form chooses."""
        state, kind, flow = (self.cleaned_data[name] for name in ("state", "kind", "flow"))
        return [
            alarm
            for alarm in alarms
            if state in {"", alarm.state} and kind in {"", alarm.kind} and flow in {"", alarm.flow_id}
        ]
