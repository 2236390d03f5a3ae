"""The form of a workspace's move: the engine's new address, and the manager's secrets for it."""

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _

from workflows_ui.core.form_choices import set_choices
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.forms import ACTIVEPIECES, GATEWAY, KINDS, NO_ASSISTANCE, EngineForm, engines
from workflows_ui.credentials.models import SIGNED_IN_KINDS, Credential, CredentialKind
from workflows_ui.credentials.services import signing_in
from workflows_ui.credentials.services.credential_tests import Draft, Problem, SeveralProjects
from workflows_ui.credentials.services.signing_in import Typed
from workflows_ui.members.models import Flavour, Workspace

#: The field for the secret of a new credential, if the manager has none.
NEW = "new"


class MoveForm(EngineForm):
    """The engine's new address, and secrets for it. `credentials` are those of the manager by the names of their secrets' fields; None is
    a new one."""

    def __init__(self, workspace: Workspace, own: list[Credential], data: QueryDict | None = None) -> None:
        imbrace = workspace.flavour == Flavour.IMBRACE
        engine = (workspace.environment or GATEWAY) if imbrace else ACTIVEPIECES
        # An address that was changed in the database is not suggested.
        address = workspace.address if workspace.genuine and not workspace.environment else ""
        super().__init__(data, initial={"engine": engine, "address": address})
        self.fields["address"].label = _("New address")
        self.fields["address"].help_text = (
            _("The gateway, as https://gateway.example.com.")
            if imbrace
            else _("The address of its API, as https://flows.example.com/api.")
        )
        self.credentials: dict[str, Credential | None] = {f"secret_{row.pk.hex}": row for row in own} or {NEW: None}
        set_choices(self, "engine", [choice for choice in engines() if (choice[0] == ACTIVEPIECES) != imbrace])
        if not imbrace:
            self.fields["engine"].widget = forms.HiddenInput()
        for name, credential in self.credentials.items():
            self.fields[name] = _secret_field(credential)
        if not own:
            kinds = KINDS[Flavour.IMBRACE if imbrace else Flavour.ACTIVEPIECES]
            kinds = tuple(kind for kind in kinds if kind not in {*SIGNED_IN_KINDS, CredentialKind.JWT})
            self.fields["kind"] = forms.ChoiceField(
                label=_("Kind of secret"),
                choices=[(kind.value, kind.label) for kind in kinds],
                initial=kinds[0],
            )
        posted = str(data.get("project_id", ""))[:64] if data is not None else ""
        self._project = forms.ChoiceField(
            label=_("Project"), required=False, choices=[(posted, posted)] if posted else [], widget=forms.HiddenInput
        )
        self.fields["project_id"] = self._project

    @property
    def secrets(self) -> list[BoundField]:
        return [self[name] for name in self.credentials]

    def clean(self) -> dict[str, object]:
        """Require a secret, which proves that the new address is right."""
        data = super().clean() or {}
        if not self.filled and self.credentials.keys().isdisjoint(self.errors):
            self.add_error(next(iter(self.credentials)), _("Enter a secret that works at the new address."))
        return data

    @property
    def filled(self) -> list[str]:
        """The names of the entered secrets' fields."""
        return [name for name in self.credentials if self.cleaned_data.get(name)]

    def draft(self, name: str, project_id: str = "") -> Draft:
        """The draft of an entered secret, by its field. For kinds that sign in, it is the password, and this signs in. Raises Problem."""
        typed, row = self.cleaned_data[name], self.credentials[name]
        where = self.location() | {"project_id": project_id or self.cleaned_data["project_id"]}
        if row is None:
            return Draft(self.flavour, self.cleaned_data["kind"], typed, ends_at=signing_in.end_of(typed), **where)
        plain = {"organization_id": row.organization_id, "email": row.email, "name": row.name}
        if row.kind not in SIGNED_IN_KINDS:
            return Draft(self.flavour, row.kind, typed, ends_at=signing_in.end_of(typed), **plain, **where)
        token = signing_in.sign_in(Typed(self.flavour, self.base, row.email, password=typed), row.organization_id)
        password = typed if row.password else ""
        return Draft(self.flavour, row.kind, token.secret, password=password, ends_at=token.ends_at, **plain, **where)

    def blame(self, problem: Problem, field: str | None = None) -> None:
        """Add a test's problem to the address or the secret, or to the form if that field is not shown."""
        if problem.field == "address":
            field = "address" if self.has_address else None
        self.technical = problem.technical
        self.add_error(field, credential_messages.problem_message(problem).sentence)

    def choose(self, several: SeveralProjects) -> None:
        """Offer the choice of several projects; the secrets have to be entered again."""
        self._project.widget = forms.RadioSelect()
        self._project.choices = several.projects
        self.add_error("project_id", _("The secret opens several projects there. Choose the one of this workspace."))


def _secret_field(credential: Credential | None) -> forms.CharField:
    label, hint = _("Your secret at the new address"), ""
    if credential is not None:
        label, hint = credential.name, str(credential.get_kind_display())
        if credential.kind in SIGNED_IN_KINDS:
            hint = _("The password of %(email)s at the engine.") % {"email": credential.email}
    return forms.CharField(
        label=label,
        required=False,
        max_length=10_000,
        strip=False,
        help_text=hint,
        widget=forms.PasswordInput(attrs=NO_ASSISTANCE),
    )
