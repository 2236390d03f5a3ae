"""The form of a workspace's move: the engine's new address, and the manager's secrets for it."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _

from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.forms.credentials import (
    ACTIVEPIECES,
    ACTIVEPIECES_KINDS,
    GATEWAY,
    IMBRACE_KINDS,
    NO_ASSISTANCE,
    EngineForm,
    engines,
)
from workflows_ui.credentials.models import SIGNED_IN_KINDS, Credential, Kind
from workflows_ui.credentials.services import signing_in
from workflows_ui.credentials.services.credential_tests import Draft, Problem, SeveralProjects
from workflows_ui.credentials.services.signing_in import Typed
from workflows_ui.members.models import Flavour, Workspace

#: The field for the secret of a new credential, if the manager has none.
NEW = "new"


@dataclass(frozen=True)
class Secret:
    """A secret of the form: the field, and its credential (None: a new one)."""

    field: BoundField
    credential: Credential | None


class MoveForm(EngineForm):
    """The engine's new address. `secrets` are fields for the manager's credentials; `blame` adds a test's problem to its field."""

    def __init__(self, workspace: Workspace, own: list[Credential], data: Any = None) -> None:
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
        self._credentials = {f"secret_{row.pk.hex}": row for row in own}
        self.fields["engine"] = forms.ChoiceField(
            label=_("Engine"),
            choices=[choice for choice in engines() if (choice[0] == ACTIVEPIECES) != imbrace],
            widget=forms.Select if imbrace else forms.HiddenInput,
        )
        for name, credential in self._credentials.items():
            self.fields[name] = _secret_field(credential.name, _hint(credential))
        if not own:
            kinds = [
                kind
                for kind in (IMBRACE_KINDS if imbrace else ACTIVEPIECES_KINDS)
                if kind not in SIGNED_IN_KINDS and kind != Kind.JWT
            ]
            self.fields["kind"] = forms.ChoiceField(
                label=_("Kind of secret"), choices=[(kind.value, kind.label) for kind in kinds], initial=kinds[0]
            )
            self.fields[NEW] = _secret_field(_("Your secret at the new address"), "")
        posted = str(data.get("project_id", ""))[:64] if data is not None else ""
        self._project = forms.ChoiceField(
            label=_("Project"),
            required=False,
            choices=[(posted, posted)] if posted else [],
            widget=forms.HiddenInput,
        )
        self.fields["project_id"] = self._project

    @property
    def secrets(self) -> list[Secret]:
        names = [name for name in self.fields if name in self._credentials or name == NEW]
        return [Secret(self[name], self._credentials.get(name)) for name in names]

    def clean(self) -> dict[str, Any]:
        """Require a secret, which proves that the new address is right."""
        data = super().clean() or {}
        if not self.filled and not any(secret.field.errors for secret in self.secrets):
            self.add_error(self.secrets[0].field.name, _("Enter a secret that works at the new address."))
        return data

    @property
    def filled(self) -> list[Secret]:
        return [secret for secret in self.secrets if self.cleaned_data.get(secret.field.name)]

    @property
    def secret_is_lost(self) -> bool:
        """Whether the returned form lacks entered secrets."""
        return self.is_bound and bool(self.errors) and any(self.data.get(secret.field.name) for secret in self.secrets)

    def draft(self, secret: Secret, project_id: str = "") -> Draft:
        """The draft of an entered secret. For kinds that sign in, it is the password, and this signs in. Raises Problem."""
        typed = self.cleaned_data[secret.field.name]
        where = self.location() | {"project_id": project_id or self.cleaned_data["project_id"]}
        if secret.credential is None:
            return Draft(self.flavour, self.cleaned_data["kind"], typed, ends_at=signing_in.end_of(typed), **where)
        row = secret.credential
        plain = {"organization_id": row.organization_id, "email": row.email, "name": row.name}
        if row.kind not in SIGNED_IN_KINDS:
            return Draft(self.flavour, row.kind, typed, ends_at=signing_in.end_of(typed), **plain, **where)
        token = signing_in.sign_in(Typed(self.flavour, self.base, row.email, password=typed), row.organization_id)
        password = typed if row.password else ""
        return Draft(self.flavour, row.kind, token.secret, password=password, ends_at=token.ends_at, **plain, **where)

    def blame(self, problem: Problem, secret: Secret | None = None) -> None:
        """Add a test's problem to the address or the secret, or to the form if that field is not shown."""
        field = secret.field.name if secret else None
        if problem.field == "address":
            field = "address" if self.has_address else None
        self.add_error(field, credential_messages.problem_message(problem).sentence)

    def choose(self, several: SeveralProjects) -> None:
        """Offer the choice of several projects; the secrets have to be entered again."""
        self._project.widget = forms.RadioSelect()
        self._project.choices = [(project.id, project.name) for project in several.projects]
        self.add_error("project_id", _("The secret opens several projects there. Choose the one of this workspace."))


def _secret_field(label: str, hint: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=10_000,
        strip=False,
        help_text=hint,
        widget=forms.PasswordInput(attrs=NO_ASSISTANCE),
    )


def _hint(credential: Credential) -> str:
    if credential.kind in SIGNED_IN_KINDS:
        return _("The password of %(email)s at the engine.") % {"email": credential.email}
    return str(credential.get_kind_display())
