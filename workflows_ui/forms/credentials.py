"""The form of a new credential, and of its name."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.engine import ENVIRONMENTS
from workflows_ui.kit import credential_words
from workflows_ui.models import SIGNED_IN_KINDS, Credential, CredentialSecret, Flavour, Kind, User, Workspace
from workflows_ui.services import signing_in
from workflows_ui.services.credentials import Draft, Problem
from workflows_ui.services.signing_in import Token, Typed

Text = str | Promise

GATEWAY = "gateway"
ACTIVEPIECES = "activepieces"
#: The kinds that each engine takes, the best for launching first.
IMBRACE_KINDS = (Kind.API_KEY, Kind.SIGN_IN, Kind.ACCESS_TOKEN, Kind.JWT)
ACTIVEPIECES_KINDS = (Kind.BEARER_TOKEN, Kind.BEARER_SIGN_IN)
_ENVIRONMENT_WORDS = {
    "stable": _("Imbrace, live"),
    "prodv2": _("Imbrace, live (v2)"),
    "sandbox": _("Imbrace, sandbox"),
    "develop": _("Imbrace, development"),
}
#: Browsers neither fill it in nor look its words up.
_UNAIDED = {"autocomplete": "off", "spellcheck": "false"}
#: Live first: it is the normal case.
_ORDER = ("stable", "prodv2", "sandbox", "develop")


def _engines() -> list[tuple[str, Any]]:
    named = [(name, _ENVIRONMENT_WORDS.get(name, name)) for name in _ORDER if name in ENVIRONMENTS]
    return [
        *named,
        (GATEWAY, _("Imbrace, own gateway")),
        (ACTIVEPIECES, _("Activepieces, own address")),
    ]


def _one_of(kinds: tuple[Kind, ...]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("Kind of secret"),
        choices=[(kind, kind.label) for kind in kinds],
        initial=kinds[0],
        required=False,
        widget=forms.RadioSelect,
    )


class SecretForm(forms.Form):
    """What kind of secret, and the secret: typed, or to be got by signing in. Which engine it is for, its subclasses know."""

    kind = _one_of(IMBRACE_KINDS)
    token_kind = _one_of(ACTIVEPIECES_KINDS)
    email = forms.EmailField(
        label=_("E-mail address at the engine"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs=_UNAIDED),
    )
    password = forms.CharField(
        label=_("Password at the engine"),
        required=False,
        max_length=1000,
        strip=False,
        help_text=_("Used now to sign in, then forgotten, unless you want it kept."),
        widget=forms.PasswordInput(attrs=_UNAIDED),
    )
    keep_password = forms.BooleanField(
        label=_("Keep it, so that it renews itself"),
        required=False,
        help_text=_(
            "The password is kept encrypted, shown to nobody, and used only to sign in again when that is needed."
        ),
    )
    code = forms.CharField(
        label=_("Or a one-time code"),
        required=False,
        max_length=20,
        help_text=_("Instead of the password. It comes by mail, and works once."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )
    organization_id = forms.CharField(
        label=_("Organization"),
        required=False,
        max_length=120,
        help_text=_("A JWT needs it; other tokens know theirs. It looks like org_…"),
        widget=forms.TextInput(attrs=_UNAIDED),
    )
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        max_length=10_000,
        strip=True,
        help_text=_("Kept encrypted, used to call the engine, and never shown again, to anyone."),
        widget=forms.PasswordInput(attrs=_UNAIDED),
    )
    ends_on = forms.DateField(
        label=_("Ends on"),
        required=False,
        help_text=_(
            "If you know it: you are reminded 30 days, 7 days and 1 day before. What a JWT says of itself is found without this."
        ),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    @property
    def flavour(self) -> str:
        """Which engine the typed secret is for."""
        raise NotImplementedError

    @property
    def chosen(self) -> Kind:
        """The kind that was chosen among those of the engine; of a valid form."""
        if self.flavour == Flavour.ACTIVEPIECES:
            return Kind(self.cleaned_data.get("token_kind") or Kind.BEARER_TOKEN)
        return Kind(self.cleaned_data.get("kind") or Kind.API_KEY)

    @property
    def signs_in(self) -> bool:
        """Whether the secret is to be got by signing in."""
        return self.chosen in SIGNED_IN_KINDS

    @property
    def wants_code(self) -> bool:
        """Whether a code is asked for by mail, and nothing else."""
        return "send_code" in self.data and self.chosen == Kind.SIGN_IN

    def clean_ends_on(self) -> date | None:
        """A day that is still to come."""
        value: date | None = self.cleaned_data["ends_on"]
        if value is not None and value <= timezone.localdate():
            raise ValidationError(_("Enter a day that is still to come."))
        return value

    def clean(self) -> dict[str, Any]:
        """Requires what the chosen kind needs."""
        data = super().clean() or {}
        if not {"kind", "token_kind", "engine"}.isdisjoint(self.errors):
            return data
        if not self.signs_in:
            if not data.get("secret") and "secret" not in self.errors:
                self.add_error("secret", _("Enter the secret."))
            return data
        if not data.get("email") and "email" not in self.errors:
            self.add_error("email", _("Enter the e-mail address."))
        code = data.get("code") if self.chosen == Kind.SIGN_IN else ""
        if not data.get("password") and not code and not self.wants_code and "password" not in self.errors:
            self.add_error("password", _("Enter the password, or a one-time code where the engine sends them."))
        return data

    def typed(self, base: str) -> Typed:
        """The typed sign-in at the engine with this address. A code goes before a password."""
        data = self.cleaned_data
        code = data["code"].strip() if self.chosen == Kind.SIGN_IN else ""
        password = "" if code else data["password"]
        return Typed(self.flavour, base, data["email"], password=password, code=code)

    @property
    def kept_password(self) -> str:
        """The password, where it is to be kept; "" else."""
        return str(self.cleaned_data["password"]) if self.cleaned_data["keep_password"] else ""

    def secret_draft(self, token: Token | None = None, organization: str = "", **more: str) -> Draft:
        """The typed secret, or the token that a sign-in came to, for an organization."""
        data, kind = self.cleaned_data, self.chosen
        if token is not None:
            return Draft(
                flavour=self.flavour,
                kind=kind,
                secret=token.secret,
                organization_id=organization,
                email=data["email"],
                password=self.kept_password,
                ends_at=token.ends_at,
                **more,
            )
        organization = data["organization_id"].strip() if kind in {Kind.ACCESS_TOKEN, Kind.JWT} else ""
        ends_on: date | None = data["ends_on"]
        typed_end = timezone.make_aware(datetime.combine(ends_on, time.min)) if ends_on else None
        return Draft(
            flavour=self.flavour,
            kind=kind,
            secret=data["secret"],
            organization_id=organization,
            ends_at=signing_in.end_of(data["secret"]) or typed_end,
            **more,
        )

    def blame(self, problem: Problem) -> None:
        """Puts what the test found wrong at the field it is about; at the top where that field is not shown."""
        field = problem.field if problem.field in self.fields else ""
        if field == "secret" and self.signs_in:
            field = "email"
        self.add_error(field or None, credential_words.of_problem(problem).sentence)

    @property
    def secret_is_lost(self) -> bool:
        """Whether the form comes back without the secret that was typed."""
        return self.is_bound and bool(self.errors) and bool(self.data.get("secret") or self.data.get("password"))

    @property
    def kinds(self) -> list["Choice"]:
        """The kinds of Imbrace, for the page."""
        return self._choices("kind", IMBRACE_KINDS)

    @property
    def token_kinds(self) -> list["Choice"]:
        """The kinds of Activepieces, for the page."""
        return self._choices("token_kind", ACTIVEPIECES_KINDS)

    def _choices(self, name: str, kinds: tuple[Kind, ...]) -> list["Choice"]:
        value = self[name].value() or kinds[0]
        return [Choice(kind.value, kind.label, credential_words.KINDS[kind], kind.value == value) for kind in kinds]


@dataclass(frozen=True)
class Choice:
    """One radio button: a kind of secret, and what it is in a sentence."""

    value: str
    label: Text
    hint: Text
    checked: bool


class CredentialForm(SecretForm):
    """Which engine, what kind of secret, the secret. Its answer is `draft`; what a test finds wrong is put where it belongs by `blame`."""

    engine = forms.ChoiceField(label=_("Engine"), choices=_engines)
    address = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=500,
        help_text=_(
            "Imbrace: the gateway, as https://gateway.example.com. Activepieces: the address of its API, as https://flows.example.com/api."
        ),
        widget=forms.TextInput(attrs={"inputmode": "url", **_UNAIDED}),
    )
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=120,
        help_text=_("How you want to call this credential. Left empty, it is called after its project."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    @property
    def flavour(self) -> str:
        """Which engine was chosen."""
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
            raise ValidationError(_("The address must not hold a user name or password."))
        if parts.query or parts.fragment:
            raise ValidationError(_("The address must end before any “?” or “#”."))
        return value

    def clean(self) -> dict[str, Any]:
        """Requires an address where the engine has none of its own."""
        data = super().clean() or {}
        if data.get("engine") in {GATEWAY, ACTIVEPIECES} and not data.get("address") and "address" not in self.errors:
            self.add_error("address", _("Enter the engine's address."))
        return data

    def place(self) -> dict[str, str]:
        """Where the engine is, as Draft names it."""
        engine = self.cleaned_data["engine"]
        return {
            "environment": engine if engine in ENVIRONMENTS else "",
            "address": self.cleaned_data["address"] if engine in {GATEWAY, ACTIVEPIECES} else "",
            "name": self.cleaned_data["name"].strip(),
        }

    @property
    def base(self) -> str:
        """The engine's address in its one spelling, of a valid form."""
        place = self.place()
        draft = Draft(self.flavour, self.chosen, "", environment=place["environment"], address=place["address"])
        return draft.base

    def draft(self, token: Token | None = None, organization: str = "") -> Draft:
        """The typed credential, of a valid form."""
        return self.secret_draft(token, organization, **self.place())

    def blame(self, problem: Problem) -> None:
        """As of any secret; the address is shown for some engines only."""
        if problem.field == "address" and self.cleaned_data.get("engine") not in {GATEWAY, ACTIVEPIECES}:
            self.add_error(None, credential_words.of_problem(problem).sentence)
        else:
            super().blame(problem)


class ReplaceForm(SecretForm):
    """Another secret for a credential that there is. Its engine and organization are known.

    `seen` tells which replacement was the last one when the page was opened: what somebody did since then is asked about first.
    """

    seen = forms.CharField(required=False, max_length=36, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def __init__(self, credential: Credential, last: CredentialSecret | None, data: Any = None) -> None:
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
        """The engine of the credential's workspace."""
        return str(self.credential.workspace.flavour)

    def overtaken(self, reader: User) -> bool:
        """Whether the secret was replaced since the page was opened; the form, a valid one, then says so, and asks once more."""
        if self.last is None or self.cleaned_data["seen"] == self._mark:
            return False
        self.data = {**{name: self.data.get(name, "") for name in self.data}, "seen": self._mark}
        again = _("Look whether that is enough. If yours shall take its place all the same, send it once more.")
        self.add_error(None, f"{credential_words.overtaken(self.last, reader)} {again}")
        return True


class OrganizationForm(forms.Form):
    """Which of one's organizations a sign-in is for."""

    def __init__(self, organizations: list[tuple[str, str]], data: Any = None) -> None:
        super().__init__(data)
        self.fields["organization"] = forms.ChoiceField(
            label=_("Organization"), choices=organizations, widget=forms.RadioSelect
        )


class HandOverForm(forms.Form):
    """The team that a credential is handed to."""

    def __init__(self, teams: QuerySet[Group], data: Any = None) -> None:
        super().__init__(data)
        self.fields["team"] = forms.ModelChoiceField(
            label=_("Team"), queryset=teams, empty_label=None, widget=forms.RadioSelect
        )


def initial_for(workspace: Workspace | None) -> dict[str, str]:
    """What the form starts with when a credential for this workspace is wanted."""
    if workspace is None:
        return {}
    if workspace.flavour == Flavour.ACTIVEPIECES:
        return {"engine": ACTIVEPIECES, "address": workspace.address}
    if workspace.environment in ENVIRONMENTS:
        return {"engine": workspace.environment, "organization_id": workspace.organization_id}
    return {"engine": GATEWAY, "address": workspace.address, "organization_id": workspace.organization_id}


class RenameForm(forms.Form):
    """A credential's new name."""

    name = forms.CharField(label=pgettext_lazy("credential", "Name"), max_length=120, strip=True)
