"""The small cast of all tests: Owner looks after a workspace, Colleague launches there, Stranger belongs elsewhere. No factories."""

from dataclasses import dataclass

from workflows_ui.models import Credential, Flavour, Kind, Member, Role, User, Workspace
from workflows_ui.services import access


@dataclass
class Cast:
    """People and the workspace they are about; the credential is the owner's."""

    owner: User
    colleague: User
    stranger: User
    workspace: Workspace
    credential: Credential

    def place(self, user: User) -> access.Access:
        """The person's place in the workspace."""
        return access.find(user, self.workspace.slug)


def person(name: str) -> User:
    """A person who can sign in with the password `correct horse battery`."""
    return User.objects.create_user(name, f"{name}@example.com", "correct horse battery")


def workspace(
    slug: str, *, flavour: str = Flavour.ACTIVEPIECES, address: str = "http://127.0.0.1:9/api", project: str = "P" * 21
) -> Workspace:
    """A workspace on an engine; by default on an address where nothing listens."""
    return Workspace.objects.create(slug=slug, name=slug.title(), flavour=flavour, address=address, project_id=project)


def credential(
    space: Workspace, owner: User, secret: str, *, kind: str = Kind.BEARER_TOKEN, name: str = "My key"
) -> Credential:
    """A person's own credential, sealed."""
    row = Credential(workspace=space, owner=owner, name=name, kind=kind)
    row.secret = row.seal("secret", secret)
    row.save()
    return row


def gather(space: Workspace, secret: str, *, kind: str = Kind.BEARER_TOKEN) -> Cast:
    """Owner (manager), colleague (launcher, with a credential of their own) and stranger, around one workspace."""
    owner, colleague, stranger = person("owner"), person("colleague"), person("stranger")
    Member.objects.create(workspace=space, user=owner, role=Role.MANAGER)
    Member.objects.create(workspace=space, user=colleague, role=Role.LAUNCHER)
    credential(space, colleague, secret, kind=kind, name="Colleague's key")
    return Cast(owner, colleague, stranger, space, credential(space, owner, secret, kind=kind))
