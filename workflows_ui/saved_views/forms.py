"""The form of a saved view."""

from collections.abc import Mapping

from django import forms
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.form_choices import set_rows


class ViewForm(forms.Form):
    """Name and team are for those who may change the view; everybody chooses their own default. Without `teams` nothing is shared."""

    name = forms.CharField(label=_("Name"), max_length=80)
    team = forms.ModelChoiceField(
        Group.objects.none(),
        label=_("Share with a team"),
        required=False,
        empty_label=_("No one: only you can see it"),
        help_text=_("The people of the team see the view under “Shared”. Only you and managers change it."),
    )
    default = forms.BooleanField(label=_("Open the list with this view"), required=False)

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        initial: dict[str, object] | None = None,
        changes: bool,
        teams: QuerySet[Group] | None,
    ) -> None:
        super().__init__(data, initial=initial)
        if not changes:
            del self.fields["name"]
        if not changes or teams is None:
            del self.fields["team"]
            return
        set_rows(self, "team", teams)
