"""The filters of the list of alarms."""

from collections.abc import Mapping, Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.alarms.models import Alarm, AlarmKind, AlarmState
from workflows_ui.core.form_choices import set_flow_choices


class FilterForm(forms.Form):
    """The filters; `alarms` are all that the list has."""

    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("Any")), *AlarmState.choices])
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Any")), *AlarmKind.choices])
    flow = forms.ChoiceField(label=_("Flow"), required=False)

    def __init__(self, data: Mapping[str, object], *, alarms: Sequence[Alarm] = ()) -> None:
        super().__init__(data)
        # The newest name of each flow.
        set_flow_choices(self, {alarm.flow_id: alarm.flow_name for alarm in reversed(alarms)})

    def chosen(self, alarms: Sequence[Alarm]) -> list[Alarm]:
        """The alarms that match a valid form."""
        state, kind, flow = (self.cleaned_data[name] for name in ("state", "kind", "flow"))
        return [
            alarm
            for alarm in alarms
            if state in {"", alarm.state} and kind in {"", alarm.kind} and flow in {"", alarm.flow_id}
        ]
