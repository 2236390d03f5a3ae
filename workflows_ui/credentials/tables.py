"""The list of credentials."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.credentials.models import Credential
from workflows_ui.lists.declaration import Column
from workflows_ui.lists.local_lists import LocalList


@dataclass(frozen=True)
class CredentialLine:
    """A credential with its health, its owner's name and teams, how many people it acts for, and whether for the reader."""

    credential: Credential
    health: Badge
    owner: Text
    teams: str
    people: int
    launches: int
    acts: bool


def _kind(line: CredentialLine) -> Text:
    kind = line.credential.get_kind_display()
    return f"{kind} · {gettext('in use for you')}" if line.acts else kind


class Credentials(LocalList):
    """The credentials that a person may see, all of them in memory."""

    name = "credentials"
    label, label_plural = _("Credential"), _("Credentials")
    icon, group = "key-round", "team"
    logged_as = "credential"
    empty = _("You have no credential here")
    empty_hint = _(
        "The console calls the engine for you with a credential. Without one, you cannot see or launch flows in this workspace."
    )
    file_view = "credentials_file"
    list_display = (
        Column(lambda line: line.credential.name, _("Name"), link=True, below=_kind, name="name"),
        Column(lambda line: line.health, _("Health"), kind="badge", name="health"),
        Column(lambda line: line.credential.tested_at, _("Tested"), kind="when", phone=False, name="tested"),
        Column(lambda line: line.owner, _("Owner"), below=lambda line: line.teams, name="owner"),
        Column(
            lambda line: line.credential.ends_at,
            _("Expires"),
            kind="when",
            below=lambda line: (
                _("renews automatically") if line.credential.ends_at and line.credential.renew_at else ""
            ),
            name="ends",
        ),
        Column(lambda line: line.credential.last_used_at, _("Last used"), kind="when", phone=False, name="used"),
        Column(lambda line: line.people, _("People"), kind="count", phone=False, name="people"),
        Column(lambda line: line.launches, _("Launches in 30 days"), kind="count", phone=False, name="launches"),
    )

    def key(self, row: CredentialLine) -> str:
        return str(row.credential.pk)

    def title(self, row: CredentialLine) -> str:
        return row.credential.name

    def url(self, slug: str, id: str = "", **query: str) -> str:
        return (
            reverse("credential", args=[slug, id]) if id else reverse("credentials", args=[slug], query=query or None)
        )
