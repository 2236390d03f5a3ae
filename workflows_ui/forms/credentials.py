"""The form of a new credential, and of its name."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.engine import ENVIRONMENTS
from workflows_ui.kit import credential_words
from workflows_ui.models import Flavour, Kind, Workspace
from workflows_ui.services.credentials import Draft, Problem

GATEWAY = "gateway"
ACTIVEPIECES = "activepieces"
_ENVIRONMENT_WORDS = {
    "stable": _("Imbrace, live"),
    "prodv2": _("Imbrace, live (v2)"),
    "sandbox": _("Imbrace, sandbox"),
    "develop": _("Imbrace, development"),
}
#: Live first: it is the normal case.
_ORDER = ("stable", "prodv2", "sandbox", "develop")


def _engines() -> list[tuple[str, Any]]:
    named = [(name, _ENVIRONMENT_WORDS.get(name, name)) for name in _ORDER if name in ENVIRONMENTS]
    return [
        *named,
        (GATEWAY, _("Imbrace, own gateway")),
        (ACTIVEPIECES, _("Activepieces, own address")),
    ]


class CredentialForm(forms.Form):
    """Which engine, what kind of secret, the secret. Its answer is `draft`; what a test finds wrong is put where it belongs by `blame`."""

    engine = forms.ChoiceField(label=_("Engine"), choices=_engines)
    address = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=500,
        help_text=_(
            "Imbrace: the gateway, as https://gateway.example.com. Activepieces: the address of its API, as https://flows.example.com/api."
        ),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(
        label=_("Kind of secret"),
        choices=[(Kind.API_KEY, Kind.API_KEY.label), (Kind.ACCESS_TOKEN, Kind.ACCESS_TOKEN.label)],
        initial=Kind.API_KEY,
        required=False,
        widget=forms.RadioSelect,
        help_text=_(
            "An API key is the better choice for launching: an access token is stored by the engine with each run."
        ),
    )
    organization_id = forms.CharField(
        label=_("Organization"),
        required=False,
        max_length=120,
        help_text=_("Only needed with a token of the long kind that starts with “eyJ”. It looks like org_…"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    secret = forms.CharField(
        label=_("Secret"),
        max_length=10_000,
        strip=True,
        help_text=_("Kept encrypted, used to call the engine, and never shown again, to anyone."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=120,
        help_text=_("How you want to call this credential. Left empty, it is called after its project."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

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

    def draft(self) -> Draft:
        """The typed credential, of a valid form."""
        data = self.cleaned_data
        engine = data["engine"]
        activepieces = engine == ACTIVEPIECES
        access_token = not activepieces and data["kind"] == Kind.ACCESS_TOKEN
        imbrace_kind = Kind.ACCESS_TOKEN if access_token else Kind.API_KEY
        return Draft(
            flavour=Flavour.ACTIVEPIECES if activepieces else Flavour.IMBRACE,
            kind=Kind.BEARER_TOKEN if activepieces else imbrace_kind,
            secret=data["secret"],
            environment=engine if engine in ENVIRONMENTS else "",
            address=data["address"] if engine in {GATEWAY, ACTIVEPIECES} else "",
            organization_id=data["organization_id"].strip() if access_token else "",
            name=data["name"].strip(),
        )

    def blame(self, problem: Problem) -> None:
        """Puts what the test found wrong at the field it is about; at the top where that field is not shown for this engine."""
        field = problem.field
        if field == "address" and self.cleaned_data.get("engine") not in {GATEWAY, ACTIVEPIECES}:
            field = ""
        self.add_error(field or None, credential_words.of_problem(problem).sentence)

    @property
    def secret_is_lost(self) -> bool:
        """Whether the form comes back without the secret that was typed."""
        return self.is_bound and bool(self.errors) and bool(self.data.get("secret"))


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
