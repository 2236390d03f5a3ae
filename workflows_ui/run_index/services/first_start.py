"""The first run index of a workspace in one step: a manager's own credential is shared with a team, and reads the runs."""

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import Group
from django.db import transaction

from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import credentials, sharing
from workflows_ui.members.models import Role
from workflows_ui.members.services import members, teams
from workflows_ui.members.services.access import Access
from workflows_ui.run_index.services import indexes


def own_credentials(access: Access) -> list[Credential]:
    """The person's own credentials in the workspace, by name."""
    rows = Credential.objects.filter(workspace=access.workspace, owner=access.user, taken_over=False)
    return list(rows.select_related("owner").order_by("name", "pk"))


def people_of(team: Group) -> Sequence[User]:
    """The active people of a team, by name."""
    return list(User.objects.filter(groups=team, is_active=True).order_by("first_name", "last_name", "username"))


def share_and_start(
    actor: Actor,
    access: Access,
    credential: Credential,
    team: Group | None,
    *,
    new_team: str = "",
    people: Iterable[User] = (),
    **chosen: int,
) -> None:
    """Share the credential with a team and begin to read with it: all of it or nothing. Audited.

    Without a team one is created, which only superusers may: with the person and these `people`, as a viewer of the workspace. `chosen` are
    settings of the index. Raises NotAllowed for a credential or a team that the person may not choose, NameTaken.
    """
    with transaction.atomic():
        if team is None and access.user.is_superuser:
            team = teams.create(actor, new_team, "")
            for person in dict.fromkeys([access.user, *people]):
                teams.add(actor, team, person)
            members.add(actor, access.workspace, team, Role.VIEWER)
        wanted = [*sharing.teams(credential), *([team] if team else [])]
        credentials.share(actor, access, credential, wanted)
        index = indexes.index_of(access.workspace)
        settings = {name: getattr(index, name) for name in indexes.SETTINGS} if index else {}
        indexes.start(actor, access.workspace, credential, **settings | chosen)
