"""What people own in credentials: their own, and a share in those that their teams use."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.utils.translation import gettext_lazy as _, ngettext

from workflows_ui.accounts.models import User
from workflows_ui.core.text import Text
from workflows_ui.credentials.models import Credential, CredentialShare
from workflows_ui.credentials.services import credentials, sharing
from workflows_ui.launches.models import UNSENT, Launch
from workflows_ui.offboarding.belongings import Found, Item, Owned


def _credentials(found: Found[Credential]) -> Iterator[Item]:
    reach, rows = found.reach, list(found.rows.select_related("owner").order_by("name", "pk"))
    waiting = Launch.objects.filter(credential__in=rows, state__in=UNSENT).order_by("asked_at")
    flows: dict[UUID, list[str]] = {}
    for key, name, flow_id in waiting.values_list("credential", "flow_name", "flow_id"):
        flows.setdefault(key, []).append(name or flow_id)
    shared = sharing.teams_of(rows)
    for row in rows:
        users = shared.get(row.pk, [])
        holders = found.space(row).credential_holders
        # For a team that does not use it yet, the consent of its owner is needed.
        consents = reach.viewer == reach.person and not row.taken_over
        to = [holder for holder in holders if holder not in users and (consents or isinstance(holder, User))]
        unused, waits = "" if row.last_used_at else _("never used"), _waiting(flows.get(row.pk, []))
        facts = (row.get_kind_display(), *_used_by(team.name for team in users), unused, waits)
        yield found.item(row, row.name, to=to, ends=True, at=row.last_used_at, facts=facts)


def _used_by(names: Iterable[str]) -> list[Text]:
    return [_("used by the team %(team)s") % {"team": name} for name in names]


def _waiting(flows: list[str]) -> str:
    if not flows:
        return ""
    names = ", ".join(dict.fromkeys(flow[:60] for flow in flows[:5]))
    text = ngettext("%(n)s launch waits with it: %(flows)s", "%(n)s launches wait with it: %(flows)s", len(flows))
    return text % {"n": len(flows), "flows": names + (", …" if len(flows) > 5 else "")}


CREDENTIAL = Owned(
    name="credential",
    model=Credential,
    owner="owner",
    icon="key-round",
    title=_("Credentials"),
    otherwise=_(
        "A credential that no team uses is deleted when the account is deactivated or the person leaves the workspace; "
        "launches waiting to be sent with it are not sent."
    ),
    end_label=_("Delete it"),
    moment=_("Last used"),
    more=_(
        "The teams that use it now keep it. It is never used for its new owner, and no one sees the "
        "secret. Only its owner can give it to another team; a manager then becomes the owner."
    ),
    warning=_("The person may still know the secret: replace it, or revoke it at the engine."),
    view="credential",
    to_managers=True,
    items=_credentials,
    give=credentials.hand_over,
    end=credentials.remove,
    refusals={
        credentials.CannotBeOpened: _(
            "The secret cannot be opened, so the credential cannot be handed over. Replace the secret, or delete the credential."
        )
    },
)


def _used_credentials(found: Found[CredentialShare]) -> Iterator[Item]:
    workspaces = found.reach.workspaces
    teams_of: dict[UUID, list[str]] = {}
    for share in sharing.genuine(credential__workspace__in=workspaces, team__in=found.person.groups.all()):
        teams_of.setdefault(share.credential_id, []).append(share.team.name)
    rows = Credential.objects.filter(workspace__in=workspaces, pk__in=teams_of).exclude(owner=found.person)
    for row in rows.select_related("workspace").order_by("name", "pk"):
        yield found.item(row, row.name, at=row.last_used_at, facts=_used_by(teams_of[row.pk]))


TEAM_CREDENTIAL = Owned(
    name="team_credential",
    model=CredentialShare,
    owner="",
    workspace="credential__workspace",
    icon="users-round",
    title=_("Credentials of others that teams use"),
    otherwise=_("They stay with their owners and keep working."),
    moment=_("Last used"),
    view="credential",
    items=_used_credentials,
)
