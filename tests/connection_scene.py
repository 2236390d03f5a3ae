"""What the tests of connections share: the sample company on a practice engine of either flavour, and people around a workspace on it."""

import html
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.practice_engine.fixtures import Practice
from tests.users import Users, gather, workspace
from workflows_ui.credentials.models import CredentialKind
from workflows_ui.members.models import Flavour, Member, Role

#: In no page, no message, no log and no audit row.
TYPED = "typed-by-a-person-4711"


class Scene:
    """The owner (manager) at a browser, in workspace `sales`."""

    def __init__(self, practice: Practice, flavour: str) -> None:
        self.practice = practice
        given = practice.credentials
        plain = flavour == Flavour.ACTIVEPIECES
        address = practice.activepieces if plain else practice.gateway
        space = workspace("sales", flavour=flavour, address=address, project=given.project_id)
        secret, kind = (
            (given.bearer_token, CredentialKind.BEARER_TOKEN) if plain else (given.api_key, CredentialKind.API_KEY)
        )
        self.users: Users = gather(space, secret, kind=kind)
        self.browser = self.sign_in("owner")

    def sign_in(self, who: str, role: Role | None = None) -> Client:
        """A browser of the owner, colleague or stranger, with another role where one is given."""
        user = getattr(self.users, who)
        if role is not None:
            Member.objects.filter(user=user, workspace=self.users.workspace).update(role=role)
        browser = Client()
        browser.force_login(user)
        return browser

    def rows(self) -> dict[str, dict[str, Any]]:
        """The engine's own connections by external id, secrets included."""
        return {row["externalId"]: row for row in self.practice.engine.state.connections.values()}

    def connection_id(self, external_id: str) -> str:
        """A connection's id."""
        return str(self.rows()[external_id]["id"])

    def page(self, address: str) -> str:
        """A page's text with its HTML, runs of blanks made one; it must be there."""
        response = self.browser.get(address)
        assert response.status_code == 200, (address, response.status_code)
        return shown(response)

    def fill(self, address: str, **typed: str) -> HttpResponse:
        """Opens a form, fills it in and sends it."""
        fields = hidden(self.browser.get(address)) | typed
        return self.browser.post(address, fields)  # type: ignore[return-value]

    def called(self, method: str, path: str) -> int:
        """How often the engine was asked."""
        return self.practice.journal.count(method, path)


def shown(response: Any) -> str:
    """The answer's text."""
    return html.unescape(" ".join(response.content.decode().split()))


def hidden(response: Any) -> dict[str, str]:
    """The fields of the page's own form that hold something already."""
    found = re.findall(r"<input[^>]*>", response.content.decode())
    values = {}
    for tag in found:
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and name[1] not in ("csrfmiddlewaretoken", "next", "language"):
            values[html.unescape(name[1])] = html.unescape(value[1])
    return values


@pytest.fixture(params=[pytest.param(Flavour.ACTIVEPIECES, marks=pytest.mark.slow), Flavour.IMBRACE], ids=str)
def scene(request: pytest.FixtureRequest, db: None, practice: Practice) -> Scene:
    """The scene, on each flavour."""
    return Scene(practice, request.param)
