"""API recipes: how to request a page's data with curl and in Python, without the secret."""

from dataclasses import dataclass
from urllib.parse import quote

from workflows_ui.credentials.models import CredentialKind
from workflows_ui.members.models import Flavour, Workspace
from workflows_ui.members.services.access import Access, credential as credential_for
from workflows_ui.resource_admin.resource import Resource

#: Stands for the secret: a variable of the shell and of Python's environment.
VARIABLE = "WORKFLOW_SECRET"
#: Paths that an Imbrace gateway serves beside the engine's own.
_BESIDE = "/channel-service/"
_HEADERS = {
    CredentialKind.API_KEY: ("x-api-key", ""),
    CredentialKind.ACCESS_TOKEN: ("x-access-token", ""),
    CredentialKind.JWT: ("Authorization", "Bearer "),
    CredentialKind.SIGN_IN: ("x-access-token", ""),
    CredentialKind.BEARER_TOKEN: ("Authorization", "Bearer "),
    CredentialKind.BEARER_SIGN_IN: ("Authorization", "Bearer "),
}


@dataclass(frozen=True)
class Recipe:
    curl: str
    python: str


def resource_recipe(resource: Resource, id: str, access: Access) -> Recipe | None:
    """How to read an object with the kind of credential that acts for the person. None for a resource without a recipe."""
    path, python = (
        part.format(id=made) for part, made in zip(resource.recipe, (quote(id, safe="@/"), id), strict=True)
    )
    if not path:
        return None
    workspace = access.workspace
    credential = credential_for(access.user, workspace)
    default = CredentialKind.API_KEY if workspace.flavour == Flavour.IMBRACE else CredentialKind.BEARER_TOKEN
    kind = CredentialKind(credential.kind) if credential else default
    organization = credential.organization_id if credential else ""
    name, before = _HEADERS[kind]
    url = f"{workspace.address if path.startswith(_BESIDE) else base(workspace)}{path}"
    if "?" in path and workspace.flavour == Flavour.ACTIVEPIECES:
        # A plain Activepieces gives no list without its project; an Imbrace does not take it (api.md 2.6).
        url += f"&projectId={workspace.project_id}"
    lines = [f"curl -X GET {_shell(url)}", f'-H "{name}: {before}${VARIABLE}"']
    if organization:
        lines.append(f"-H {_shell(f'x-organization-id: {organization}')}")
    curl = " \\\n  ".join(lines)
    if workspace.flavour == Flavour.IMBRACE and python:
        return Recipe(curl, _sdk(python, kind, workspace.address, organization))
    return Recipe(curl, _requests_code(url, name, before, organization))


def base(workspace: Workspace) -> str:
    """The public base URL of the engine's own paths."""
    return f"{workspace.address}/activepieces" if workspace.flavour == Flavour.IMBRACE else str(workspace.address)


def _sdk(python: str, kind: CredentialKind, gateway: str, organization: str) -> str:
    named = "api_key" if kind == CredentialKind.API_KEY else "access_token"
    more = f", organization_id={organization!r}" if organization else ""
    return f"""\
import os
from imbrace import ImbraceClient

client = ImbraceClient(gateway={gateway!r}, {named}=os.environ[{VARIABLE!r}]{more})
print(client.{python})"""


def _requests_code(url: str, name: str, before: str, organization: str) -> str:
    value = f"os.environ[{VARIABLE!r}]" if not before else f"{before!r} + os.environ[{VARIABLE!r}]"
    more = f", 'x-organization-id': {organization!r}" if organization else ""
    return f"""\
import os
import requests

headers = {{{name!r}: {value}{more}}}
answer = requests.get({url!r}, headers=headers, timeout=60)
answer.raise_for_status()
print(answer.json())"""


def _shell(text: str) -> str:
    quoted = text.replace("'", "'\\''")
    return f"'{quoted}'"
