"""People around a workspace on a running practice engine, in either flavour, and what the suite of actions types into forms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.response import HttpResponseBase
from django.test import Client

from practice_engine import PracticeEngine, serve
from tests.practice_engine.fixtures import Practice
from tests.resources import samples
from tests.users import Users, gather, workspace
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.models import CredentialKind
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine.transport import close_pools
from workflows_ui.flow_editing.forms import EditForm
from workflows_ui.members.models import Flavour, Member, Role
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import Query, Resource

FAST = 0.02
#: What is typed into every secret field; it must come back nowhere.
TYPED_SECRET = "typed-secret-2718281828"
HTMX = {"HX-Request": "true", "HX-Target": "action"}
_READING = ("/v1/pieces/options",)


@dataclass
class Stage:
    """The cast on a practice engine with the sample company; `browser` is the owner's."""

    practice: Practice
    users: Users
    secret: str
    browser: Client

    @property
    def session(self) -> EngineSession:
        """The owner at the engine."""
        return engine_session.open_session(self.users.place(self.users.owner))

    def writes(self) -> list[str]:
        """Method and path of everything that reached the engine and could have changed something."""
        found = [received for received in self.practice.journal.all() if received.method != "GET"]
        return [f"{one.method} {one.path}" for one in found if not one.path.endswith(_READING)]

    def as_role(self, role: Role) -> Client:
        """The colleague's browser, in this role."""
        Member.objects.filter(user=self.users.colleague).update(role=role)
        browser = Client()
        browser.force_login(self.users.colleague)
        return browser

    def suit(self, resource: Resource, action: Action) -> None:
        """Makes the engine one of a version that has the action. Skips the test where Imbrace's fork, which has one version, does not."""
        wanted = samples.sample_for(resource).versions.get(action.name)
        if wanted and wanted != "0.72.4" and self.users.workspace.flavour == Flavour.IMBRACE:
            pytest.skip(f"Imbrace's fork has no {resource.name}.{action.name}.")
        if wanted:
            self.practice.engine.settings.version = wanted

    def key(self, resource: Resource, action: Action) -> str:
        """An object of the sample company that the action is offered for; "" for a collection's. Fails if there is no such object."""
        self.suit(resource, action)
        if action.collection:
            return ""
        asking = self.session
        for row in resource.list(asking, Query(samples.sample_for(resource).asked, 100)).rows:
            key = resource.key(row)
            if key and action.visible(resource.get(asking, key)):
                if prepare := samples.sample_for(resource).prepared.get(action.name):
                    prepare(self, key)
                return key
        pytest.fail(f"No object of the sample company is offered {resource.name}.{action.name}.")

    def url(self, resource: Resource, action: Action) -> str:
        """The action's address for such an object."""
        return action.url("sales", resource.name, self.key(resource, action))

    def fields(self, resource: Resource, action: Action, url: str) -> dict[str, Any]:
        """What the form holds when it is opened, with everything filled in that it asks for, and its ticket."""
        page = self.browser.get(url)
        assert page.status_code == 200, page.content.decode()[:2000]
        form = page.context["form"]
        given = samples.sample_for(resource).typed.get(action.name, {})
        typed = {name: given.get(name, _filled(form, name, field)) for name, field in form.fields.items()}
        typed |= {name: _fresh(value) for name, value in typed.items()}
        if isinstance(form, EditForm):
            # A form that was not opened is confirmed once, by a mark of what was shown.
            typed["seen"] = None
            asked = self.browser.post(url, {name: value for name, value in typed.items() if value is not None})
            assert asked.context["form"].questions, asked.context["form"].errors
            typed["seen"] = asked.context["form"].data["seen"]
        return {name: value for name, value in typed.items() if value is not None} | {
            page.context["ticket_name"]: page.context["ticket"]
        }


def turns(resource: Resource, action: Action, number: int) -> list[tuple[str, Any]]:
    """Both flavours for action `number` of a suite, each with marks: one that has the action is quick, in turns, the other slow."""
    newer = samples.sample_for(resource).versions.get(action.name, "0.72.4") != "0.72.4"
    quick = "activepieces" if newer or number % 2 else "imbrace"
    return [(name, () if name == quick else pytest.mark.slow) for name in ("activepieces", "imbrace")]


def outcomes() -> list[tuple[str, str]]:
    """The audit rows of actions, oldest first, as (action, outcome)."""
    return list(AuditEvent.objects.order_by("pk").values_list("action", "outcome"))


def everything_told() -> str:
    """All that the audit log holds, as one text."""
    return repr(list(AuditEvent.objects.values()))


def lead(response: HttpResponseBase) -> str:
    """Where an answer leads to, plain or for htmx."""
    return response.headers.get("HX-Redirect") or response.headers.get("Location", "")


def _fresh(value: Any) -> Any:
    """A file can be sent once only."""
    return SimpleUploadedFile("file.json", value) if isinstance(value, bytes) else value


def _filled(form: forms.Form, name: str, field: forms.Field) -> Any:
    """A value that the field takes: its first value, else one of its kind; None leaves it out."""
    if name == "code":
        return f"code-{TYPED_SECRET}"  # what the practice provider's codes begin with
    if isinstance(field.widget, forms.PasswordInput):
        return TYPED_SECRET
    initial = form.get_initial_for_field(field, name)
    if initial not in (None, "", []):
        return field.prepare_value(initial)
    if not field.required:
        return None
    if isinstance(field, forms.ChoiceField):
        return next(str(value) for value, _label in _flat(field.choices) if value)
    kinds: Mapping[type[forms.Field], Any] = {
        forms.BooleanField: "on",
        forms.JSONField: "{}",
        forms.IntegerField: "3",
        forms.EmailField: "somebody@example.com",
        forms.URLField: "https://example.com/",
    }
    return next((value for kind, value in kinds.items() if isinstance(field, kind)), "Something new")


def _flat(choices: Any) -> Iterator[tuple[Any, Any]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield value, label


@pytest.fixture(params=["activepieces", pytest.param("imbrace", marks=pytest.mark.slow)])
def stage(request: pytest.FixtureRequest, db: None) -> Iterator[Stage]:
    """A fresh practice engine in each flavour: an Activepieces of today, and Imbrace's fork, which is of 0.72.4."""
    engine = PracticeEngine(clock_scale=FAST)
    engine.settings.invitations_in_plan = True
    engine.settings.version = "0.83.0"
    server = serve(engine)
    given = engine.credentials
    if request.param == "activepieces":
        place = {"flavour": Flavour.ACTIVEPIECES, "address": f"{server.url}/api"}
        secret, kind = given.bearer_token, CredentialKind.BEARER_TOKEN
    else:
        place = {"flavour": Flavour.IMBRACE, "address": f"{server.url}/imbrace"}
        secret, kind = given.api_key, CredentialKind.API_KEY
    users = gather(workspace("sales", project=given.project_id, **place), secret, kind=kind)
    browser = Client()
    browser.force_login(users.owner)
    yield Stage(Practice(engine, server), users, secret, browser)
    close_pools()
    server.stop()
    engine.close()
