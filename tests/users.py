"""The small cast of all tests: Owner looks after a workspace, Colleague launches there, Stranger belongs elsewhere. No factories."""

import contextlib
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.models import Credential, CredentialKind, CredentialSecret
from workflows_ui.credentials.services import sharing
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Flavour, Member, Role, Workspace
from workflows_ui.members.services import access


@dataclass
class Users:
    """People and the workspace they are about; the credential is the owner's."""

    owner: User
    colleague: User
    stranger: User
    workspace: Workspace
    credential: Credential

    def place(self, user: User) -> access.Access:
        """The person's place in the workspace."""
        return access.access_for(user, self.workspace.slug)


def person(name: str) -> User:
    """A person who can sign in with the password `correct horse battery`."""
    return User.objects.create_user(name, f"{name}@example.com", "correct horse battery")


def workspace(
    slug: str, *, flavour: str = Flavour.ACTIVEPIECES, address: str = "http://127.0.0.1:9/api", project: str = "P" * 21
) -> Workspace:
    """A workspace on an engine; by default on an address where nothing listens."""
    return Workspace.objects.create(slug=slug, name=slug.title(), flavour=flavour, address=address, project_id=project)


def credential(
    space: Workspace, owner: User, secret: str, *, kind: str = CredentialKind.BEARER_TOKEN, name: str = "My key"
) -> Credential:
    """A person's own credential, sealed."""
    row = Credential(workspace=space, owner=owner, name=name, kind=kind)
    row.secret = row.seal("secret", secret)
    row.save()
    return row


def move(space: Workspace, **values: str) -> None:
    """The workspace leads elsewhere from now on, with the secrets that it has: what tests that change engines need, and nobody may."""
    space.refresh_from_db()
    if all(getattr(space, name) == value for name, value in values.items()):
        return
    rows: list[Credential | CredentialSecret] = [*Credential.objects.filter(workspace=space)]
    rows += CredentialSecret.objects.filter(credential__workspace=space)
    opened = []
    for row in rows:
        with contextlib.suppress(CannotOpen):
            opened.append((row, {field: row.open(field) for field in row.sealed_fields if getattr(row, field)}))
    for name, value in values.items():
        setattr(space, name, value)
    space.mark = space.new_mark()
    space.save(update_fields=[*values, "mark"])
    for row, secrets in opened:
        (row if isinstance(row, Credential) else row.credential).workspace = space
        for field, value in secrets.items():
            type(row)._default_manager.filter(pk=row.pk).update(**{field: row.seal(field, value)})


def give(row: Credential, owner: User) -> None:
    """The credential is somebody else's from now on, as if they had added it."""
    assert sharing.pass_on(CONSOLE, row, owner)
    row.taken_over = False
    row.save(update_fields=["taken_over"])


def share(row: Credential, team: Group, owner: User | None = None) -> None:
    """The credential acts for a team; it is `owner`'s, by default somebody's who is in no team."""
    keeper = User.objects.filter(username="keeper").first() or person("keeper")
    give(row, owner or keeper)
    sharing.write(row, team, row.owner)


def share_with_nobody(row: Credential) -> None:
    """The credential acts for a team without members, so that a run index may read with it."""
    sharing.write(row, Group.objects.get_or_create(name="Nobody")[0], row.owner)


def browser(who: User) -> Client:
    """A browser in which somebody is signed in."""
    client = Client()
    client.force_login(who)
    return client


def saved_inputs(space: Workspace, owner: User, flow_id: str, name: str, payload: str = '{"a":1}') -> SavedInputs:
    """Inputs of a flow that somebody saved."""
    row = SavedInputs(workspace=space, flow_id=flow_id, owner=owner, name=name, updated_at=timezone.now())
    row.payload = row.seal("payload", payload)
    row.save(force_insert=True)
    return row


def ask_otherwise(launch: Launch, **values: object) -> None:
    """The launch waits as if it had been asked for with these values."""
    for name, value in values.items():
        setattr(launch, name, value)
    Launch.objects.filter(pk=launch.pk).update(**values, mark=launch.new_mark())


def gather(space: Workspace, secret: str, *, kind: str = CredentialKind.BEARER_TOKEN) -> Users:
    """Owner (manager), colleague (launcher, with a credential of their own) and stranger, around one workspace."""
    owner, colleague, stranger = person("owner"), person("colleague"), person("stranger")
    Member.objects.create(workspace=space, user=owner, role=Role.MANAGER)
    Member.objects.create(workspace=space, user=colleague, role=Role.LAUNCHER)
    credential(space, colleague, secret, kind=kind, name="Colleague's key")
    return Users(owner, colleague, stranger, space, credential(space, owner, secret, kind=kind))
