"""The forms that add a rule, one for each kind."""

from collections.abc import Mapping, Sequence

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.alarms import channels
from workflows_ui.alarms.models import AlarmChannel
from workflows_ui.core.collation import sort_key
from workflows_ui.core.form_choices import set_choices, set_rows
from workflows_ui.credentials.messages import picker_labels
from workflows_ui.failure_rules.models import FEWEST, MOST, RuleKind
from workflows_ui.members.models import Role
from workflows_ui.members.services import access as member_access
from workflows_ui.members.services.access import Access

#: Flows in a list of choices; rules for others are added on the flow's page.
FLOWS = 500
Flows = Sequence[tuple[str, str]]


class RuleForm(forms.Form):
    """What every rule has: the flow. `flow` is the one that the page is about, as id and name; without it, one of `flows` is chosen."""

    flow = forms.ChoiceField(label=_("When this flow fails"), required=False)

    def __init__(
        self,
        data: Mapping[str, object] | None,
        *,
        access: Access,
        flows: Flows = (),
        flow: tuple[str, str] | None = None,
        launchable: Flows = (),
    ) -> None:
        super().__init__(data)
        self._flow, self._flows = flow, dict(flows)
        if flow is not None:
            del self.fields["flow"]
            return
        everything = [("", _("All flows of the workspace"))] if access.allows(Role.MANAGER) else []
        if not everything:
            self.fields["flow"].required = True
        set_choices(self, "flow", [*everything, *_sorted(flows)[:FLOWS]])

    def _chosen_flow(self) -> tuple[str, str]:
        """Id and name of the flow; empty for all flows."""
        if self._flow is not None:
            return self._flow
        key = str(self.cleaned_data.get("flow") or "")
        return key, self._flows.get(key, "")

    def values(self) -> dict[str, object]:
        """The columns of the rule, of a valid form."""
        key, name = self._chosen_flow()
        return {"flow_id": key[:64], "flow_name": name.replace("\0", "")[:200]}


class PostForm(RuleForm):
    """A post to a channel."""

    channel = forms.ModelChoiceField(
        label=_("Channel"),
        queryset=AlarmChannel.objects.none(),
        help_text=_(
            "Everyone who reads the channel sees the name of the flow and of the step that failed, and the "
            "cause only if the channel names causes. Failures of one flow within five minutes are one message."
        ),
    )

    def __init__(self, data: Mapping[str, object] | None, *, access: Access, **options: object) -> None:
        super().__init__(data, access=access, **options)  # type: ignore[arg-type]
        set_rows(self, "channel", channels.of_workspace(access.workspace).filter(moves=access.workspace.moves))

    def values(self) -> dict[str, object]:
        return super().values() | {"channel": self.cleaned_data["channel"]}


class LaunchForm(RuleForm):
    """The launch of a flow, for the person who adds the rule."""

    handler = forms.ChoiceField(
        label=_("Run this flow"),
        help_text=_("It gets the failure as its inputs. When it fails itself, no rule starts a flow."),
    )
    credential = forms.ChoiceField(label=_("With the credential"))
    agreed = forms.BooleanField(
        label=_("I agree that the console launches this flow for me"),
        help_text=_(
            "Each launch is listed under your name. The rule stops when you may not launch here any more, or the "
            "credential can no longer be used."
        ),
    )

    def __init__(
        self, data: Mapping[str, object] | None, *, access: Access, launchable: Flows = (), **options: object
    ) -> None:
        super().__init__(data, access=access, **options)  # type: ignore[arg-type]
        self._handlers = dict(launchable)
        set_choices(self, "handler", [("", "---------"), *_sorted(launchable)[:FLOWS]])
        now = timezone.now()
        found = [option.credential for option in member_access.credential_options(access.user, access.workspace)]
        self._credentials = {str(row.pk): row for row in found if row.usable(now)}
        set_choices(self, "credential", picker_labels(self._credentials.values()))

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if cleaned.get("handler") and cleaned["handler"] == self._chosen_flow()[0]:
            self.add_error("handler", gettext("A flow cannot be started by its own failure."))
        return cleaned

    def values(self) -> dict[str, object]:
        key = self.cleaned_data["handler"]
        return super().values() | {
            "handler_id": key,
            "handler_name": self._handlers[key].replace("\0", "")[:200],
            "credential": self._credentials[self.cleaned_data["credential"]],
        }


class TurnOffForm(RuleForm):
    """Turning the flow off, for the person who adds the rule."""

    threshold = forms.IntegerField(
        label=_("After so many failures in a row"),
        min_value=FEWEST,
        max_value=MOST,
        initial=5,
        help_text=_("The count starts again after a run that succeeds. Cancelled runs do not count."),
    )
    agreed = forms.BooleanField(
        label=_("I agree that the console turns it off for me"),
        help_text=_(
            "It is done with the credential that the console uses for you. You and the managers are notified, and the "
            "page of the flow has a button that turns it on again."
        ),
    )

    def values(self) -> dict[str, object]:
        return super().values() | {"threshold": self.cleaned_data["threshold"]}


FORMS: Mapping[RuleKind, type[RuleForm]] = {
    RuleKind.POST: PostForm,
    RuleKind.LAUNCH: LaunchForm,
    RuleKind.TURN_OFF: TurnOffForm,
}


def _sorted(flows: Flows) -> list[tuple[str, str]]:
    return sorted(flows, key=lambda flow: sort_key(flow[1]))
