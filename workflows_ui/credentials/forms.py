"""Forms of credentials: adding, replacing, sharing, renaming, and choices of organization and project."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from urllib.parse import urlsplit

from allauth.core import ratelimit
from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.accounts.models import User
from workflows_ui.core import clock
from workflows_ui.core.form_choices import set_choices
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.models import SIGNED_IN_KINDS, Credential, CredentialKind, CredentialSecret
from workflows_ui.credentials.pending_sign_in import PROJECT, Pending
from workflows_ui.credentials.services import signing_in
from workflows_ui.credentials.services.credential_tests import Draft, Problem
from workflows_ui.credentials.services.signing_in import Token, Typed
from workflows_ui.engine import ENVIRONMENTS
from workflows_ui.members.models import Flavour, Workspace

GATEWAY = "gateway"
ACTIVEPIECES = "activepieces"
#: The kinds of each flavour, the best for launching first.
KINDS: dict[str, tuple[CredentialKind, ...]] = {
    Flavour.IMBRACE: (CredentialKind.API_KEY, CredentialKind.SIGN_IN, CredentialKind.ACCESS_TOKEN, CredentialKind.JWT),
    Flavour.ACTIVEPIECES: (CredentialKind.BEARER_TOKEN, CredentialKind.BEARER_SIGN_IN),
}
#: Live first: it is the normal case.
_ENVIRONMENTS = {
    "stable": _("Imbrace, live"),
    "prodv2": _("Imbrace, live (v2)"),
    "sandbox": _("Imbrace, sandbox"),
    "develop": _("Imbrace, development"),
}
#: Attributes against auto-completion and spell checking, which may send the text elsewhere.
NO_ASSISTANCE = {"autocomplete": "off", "spellcheck": "false"}


def engines() -> list[tuple[str, object]]:
    """The choices of engines: Imbrace's environments, then engines by address."""
    return [
        *((name, label) for name, label in _ENVIRONMENTS.items() if name in ENVIRONMENTS),
        (GATEWAY, _("Imbrace, own gateway")),
        (ACTIVEPIECES, _("Activepieces, own address")),
    ]


def _kind_field(kinds: tuple[CredentialKind, ...]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("Kind of secret"),
        choices=[(kind, kind.label) for kind in kinds],
        initial=kinds[0],
        required=False,
        widget=forms.RadioSelect,
    )


class TestedForm(forms.Form):
    """A form whose values are tested at the engine."""

    #: For the page: a line about the problem for debugging, and whether a code was sent by mail.
    technical = ""
    code_sent = False

    @property
    def secret_is_lost(self) -> bool:
        """Whether the returned form lacks entered secrets."""
        secrets = [name for name, field in self.fields.items() if isinstance(field.widget, forms.PasswordInput)]
        return self.is_bound and bool(self.errors) and any(self.data.get(name) for name in secrets)

    def may_test(self, request: HttpRequest) -> bool:
        """Whether the person may test again so soon; if not, adds an error."""
        allowed = bool(ratelimit.consume(request, action="credential_test", user=request.user))
        if not allowed:
            self.add_error(None, _("You have tested many credentials within a minute. Wait a little, then try again."))
        return allowed

    def blame(self, problem: Problem, field: str | None = None) -> None:
        """Add a test's problem to a field, or to the form."""
        self.technical = problem.technical
        self.add_error(field, credential_messages.problem_message(problem).sentence)


class SecretForm(TestedForm):
    """The kind of a secret, and the secret or the input of a sign-in. Subclasses define the engine."""

    kind = _kind_field(KINDS[Flavour.IMBRACE])
    token_kind = _kind_field(KINDS[Flavour.ACTIVEPIECES])
    email = forms.EmailField(
        label=_("Email address at the engine"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs=NO_ASSISTANCE),
    )
    password = forms.CharField(
        label=_("Password at the engine"),
        required=False,
        max_length=1000,
        strip=False,
        help_text=_("Used now to sign in, then discarded, unless you choose to store it."),
        widget=forms.PasswordInput(attrs=NO_ASSISTANCE),
    )
    keep_password = forms.BooleanField(
        label=_("Store it, so that it renews automatically"),
        required=False,
        help_text=_("The password is stored encrypted, never shown, and used only to sign in again when needed."),
    )
    code = forms.CharField(
        label=_("Or a one-time code"),
        required=False,
        max_length=20,
        help_text=_("Instead of the password. It comes by email, and works once."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )
    organization_id = forms.CharField(
        label=_("Organization"),
        required=False,
        max_length=120,
        help_text=_("A JWT needs it; other tokens know theirs. It looks like org_…"),
        widget=forms.TextInput(attrs=NO_ASSISTANCE),
    )
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        max_length=10_000,
        help_text=_("Stored encrypted, used to call the engine, and never shown again."),
        widget=forms.PasswordInput(attrs=NO_ASSISTANCE),
    )
    ends_on = forms.DateField(
        label=_("Expires on"),
        required=False,
        help_text=_(
            "If you know it: you are reminded 30 days, 7 days and 1 day before. The expiry date in a JWT is read without this."
        ),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    @property
    def flavour(self) -> str:
        raise NotImplementedError

    @property
    def chosen(self) -> CredentialKind:
        field = "token_kind" if self.flavour == Flavour.ACTIVEPIECES else "kind"
        return CredentialKind(self.cleaned_data.get(field) or self.fields[field].initial)

    @property
    def signs_in(self) -> bool:
        """Whether the secret is the token of a sign-in."""
        return self.chosen in SIGNED_IN_KINDS

    @property
    def wants_code(self) -> bool:
        """Whether the form only requests a code by mail."""
        return "send_code" in self.data and self.chosen == CredentialKind.SIGN_IN

    def clean_ends_on(self) -> date | None:
        value: date | None = self.cleaned_data["ends_on"]
        if value is not None and value <= timezone.localdate():
            raise ValidationError(_("Enter a day that is still to come."))
        return value

    def clean(self) -> dict[str, object]:
        """Require the fields of the selected kind."""
        data = super().clean() or {}
        if not {"kind", "token_kind", "engine"}.isdisjoint(self.errors):
            return data
        if not self.signs_in:
            if not data.get("secret") and "secret" not in self.errors:
                self.add_error("secret", _("Enter the secret."))
            return data
        if not data.get("email") and "email" not in self.errors:
            self.add_error("email", _("Enter the email address."))
        code = data.get("code") if self.chosen == CredentialKind.SIGN_IN else ""
        if not data.get("password") and not code and not self.wants_code and "password" not in self.errors:
            self.add_error("password", _("Enter the password, or a one-time code where the engine sends them."))
        return data

    def typed(self, base: str) -> Typed:
        """The input for a sign-in at the engine with this address. A code has precedence over a password."""
        data = self.cleaned_data
        code = data["code"].strip() if self.chosen == CredentialKind.SIGN_IN else ""
        password = "" if code else data["password"]
        return Typed(self.flavour, base, data["email"], password=password, code=code)

    def secret_draft(self, token: Token | None, organization: str, **location: str) -> Draft:
        """The draft with the entered secret, or with the token of a sign-in for an organization, and these arguments of Draft."""
        data, kind = self.cleaned_data, self.chosen
        draft = partial(Draft, flavour=self.flavour, kind=kind, ends_at=None, **location)
        if token is not None:
            password = data["password"] if data["keep_password"] else ""
            return draft(
                secret=token.secret,
                organization_id=organization,
                email=data["email"],
                password=password,
                ends_at=token.ends_at,
            )
        organization = (
            data["organization_id"].strip() if kind in {CredentialKind.ACCESS_TOKEN, CredentialKind.JWT} else ""
        )
        typed_end = clock.midnight(data["ends_on"]) if data["ends_on"] else None
        ends_at = signing_in.end_of(data["secret"]) or typed_end
        return draft(secret=data["secret"], organization_id=organization, ends_at=ends_at)

    def blame(self, problem: Problem, field: str | None = None) -> None:
        """Add a test's problem to its field, or to the form if that field is not shown."""
        field = problem.field if problem.field in self.fields else None
        super().blame(problem, "email" if field == "secret" and self.signs_in else field)

    @property
    def kinds(self) -> list[dict[str, object]]:
        return self._choices("kind", KINDS[Flavour.IMBRACE])

    @property
    def token_kinds(self) -> list[dict[str, object]]:
        return self._choices("token_kind", KINDS[Flavour.ACTIVEPIECES])

    def _choices(self, name: str, kinds: tuple[CredentialKind, ...]) -> list[dict[str, object]]:
        value = self[name].value() or kinds[0]
        return [
            {"value": kind, "label": kind.label, "hint": credential_messages.KINDS[kind], "checked": kind == value}
            for kind in kinds
        ]


class EngineForm(TestedForm):
    """The engine and its address."""

    engine = forms.ChoiceField(label=_("Engine"), choices=engines)
    address = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=500,
        help_text=_(
            "Imbrace: the gateway, as https://gateway.example.com. Activepieces: the address of its API, as https://flows.example.com/api."
        ),
        widget=forms.TextInput(attrs={"inputmode": "url", **NO_ASSISTANCE}),
    )

    @property
    def has_address(self) -> bool:
        """Whether the selected engine is given by its address, which the page shows then."""
        return self.cleaned_data.get("engine") in {GATEWAY, ACTIVEPIECES}

    @property
    def flavour(self) -> str:
        return Flavour.ACTIVEPIECES if self.cleaned_data.get("engine") == ACTIVEPIECES else Flavour.IMBRACE

    def clean_address(self) -> str:
        """An http or https address without user, query or fragment; empty stays empty."""
        value = str(self.cleaned_data["address"]).strip()
        if not value:
            return ""
        try:
            parts = urlsplit(value)
            good = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or any(character.isspace() for character in value):
            raise ValidationError(_("Enter an address that starts with https:// (or http://)."))
        if parts.username or parts.password:
            raise ValidationError(_("The address must not hold a username or password."))
        if parts.query or parts.fragment:
            raise ValidationError(_("The address must end before any “?” or “#”."))
        return value

    def clean(self) -> dict[str, object]:
        """Require an address for engines without a fixed one."""
        data = super().clean() or {}
        if self.has_address and not data.get("address") and "address" not in self.errors:
            self.add_error("address", _("Enter the engine's address."))
        return data

    def location(self) -> dict[str, str]:
        """The engine's environment and address, as arguments of Draft."""
        engine = self.cleaned_data["engine"]
        return {
            "environment": engine if engine in ENVIRONMENTS else "",
            "address": self.cleaned_data["address"] if self.has_address else "",
        }

    @property
    def base(self) -> str:
        return Draft(self.flavour, "", "", ends_at=None, **self.location()).base


class CredentialForm(EngineForm, SecretForm):
    """A new credential: engine, kind and secret. `draft` is the result; `blame` adds a test's problem to its field."""

    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=120,
        help_text=_("A name for this credential. If empty, the project's name is used."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def location(self) -> dict[str, str]:
        """The engine's environment and address and the credential's name, as arguments of Draft."""
        return super().location() | {"name": self.cleaned_data["name"].strip()}

    def draft(self, token: Token | None = None, organization: str = "") -> Draft:
        return self.secret_draft(token, organization, **self.location())

    def blame(self, problem: Problem, field: str | None = None) -> None:
        """As in SecretForm; the address is shown for some engines only."""
        if problem.field == "address" and not self.has_address:
            TestedForm.blame(self, problem)
        else:
            super().blame(problem)


class ReplaceForm(SecretForm):
    """A new secret for an existing credential, whose engine and organization are known.

    `seen` is the last replacement when the page was opened: after a later one, a confirmation is needed.
    """

    seen = forms.CharField(required=False, max_length=36, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def __init__(
        self, credential: Credential, last: CredentialSecret | None, data: Mapping[str, object] | None = None
    ) -> None:
        self.credential = credential
        self.last = last
        self._mark = str(last.pk) if last else ""
        super().__init__(
            data,
            initial={
                "kind": credential.kind,
                "token_kind": credential.kind,
                "email": credential.email,
                "organization_id": credential.organization_id,
                "seen": self._mark,
            },
        )

    @property
    def flavour(self) -> str:
        return str(self.credential.workspace.flavour)

    def overtaken(self, reader: User) -> bool:
        """Whether the secret was replaced since the page was opened; if so, adds an error to the valid form that
        requests a confirmation."""
        if self.last is None or self.cleaned_data["seen"] == self._mark:
            return False
        self.data = {**{name: self.data.get(name, "") for name in self.data}, "seen": self._mark}
        again = _("Check whether that is enough. To replace it with yours anyway, send it again.")
        self.add_error(None, f"{credential_messages.overtaken(self.last, reader)} {again}")
        return True


class ChoiceForm(TestedForm):
    """The organization of a sign-in, or the project of a credential whose secret opens several."""

    def __init__(self, what: str, pending: Pending, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data, initial={what: pending.likely})
        self.fields[what] = forms.ChoiceField(
            label=_("Project") if what == PROJECT else _("Organization"),
            choices=pending.choices,
            widget=forms.RadioSelect,
        )


class ShareForm(forms.Form):
    """The teams that a credential is shared with."""

    teams = forms.MultipleChoiceField(label=_("Teams"), required=False, widget=forms.CheckboxSelectMultiple)
    #: Without a team, the form ends all sharing: an empty request is no answer.
    sure = forms.ChoiceField(choices=[("yes", "yes")], widget=forms.HiddenInput)

    def __init__(self, teams: list[Group], shared: list[Group], data: Mapping[str, object] | None = None) -> None:
        super().__init__(data, initial={"teams": [team.pk for team in shared]})
        set_choices(self, "teams", [(team.pk, team.name) for team in teams])


def initial_for(workspace: Workspace | None) -> dict[str, str]:
    """The initial values of the form for a credential of this workspace."""
    if workspace is None or not workspace.genuine:
        return {}
    if workspace.flavour == Flavour.ACTIVEPIECES:
        return {"engine": ACTIVEPIECES, "address": workspace.address}
    if workspace.environment in ENVIRONMENTS:
        return {"engine": workspace.environment, "organization_id": workspace.organization_id}
    return {"engine": GATEWAY, "address": workspace.address, "organization_id": workspace.organization_id}


class RenameForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("credential", "Name"), max_length=120, strip=True)
