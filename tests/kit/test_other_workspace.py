"""Ids of things that belong to another workspace: at every address that takes one they are as good as made up, whoever asks.

Whoever asks here manages both workspaces and owns the things. The engine is a careless one: it gives whatever it is asked for,
whosever it is, and would do anything to it. What stands above workspaces (teams, people, one's own sessions and notices) is tried in
test_matrix.py with somebody else's.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, reverse

from tests import caches, cast
from tests.engine.servers import Reply
from tests.kit import furnished, matrix
from tests.kit.furnished import Furnished, furnish, once
from tests.kit.matrix import Address
from tests.resources import samples
from tests.resources.samples import tables
from tests.shelf import SECRET, Shelf, flow, identity, run
from workflows_ui.kit import bulk_work
from workflows_ui.models import Flavour, ItemState, Job, Launch, Member, Role, Workspace
from workflows_ui.resources import BY_NAME, RESOURCES

pytestmark = [pytest.mark.once, pytest.mark.django_db]

#: The id of everything that the engine holds of the other workspace, and what all of it is called.
THEIRS, MARK = identity(77), "Name from the other workspace"
#: What an address's value is when it is no id of anything: a word, a number within a thing, an app that all workspaces share.
WORDS = {"slug", "resource", "action", "kind", "place", "number", "field", "piece"}
#: Ids in addresses: the part of the path before the id, and the name of the other workspace's thing in `furnished`.
LOCAL = {
    "credentials": "credential_id",
    "launches": "launch",
    "jobs": "job",
    "inputs": "inputs",
    "audit": "row",
    "members": "member_id",
    "requests": "request_id",
    "invitations": "invitation_id",
    "launch-rights": "right_id",
}
REMOTE = {"flows", "runs", "tables", "records", "fields", "mcp-servers"}
#: What all workspaces of an engine share.
SHARED = {"pieces"}
#: Addresses of jobs that are exports.
EXPORTS = {"export", "export_file", "export_stop"}
_VALUE = re.compile(r"(?:([\w-]+)/)?<\w+:(\w+)>")
_HTMX = {"HX-Request": "true", "HX-Target": "live"}


def strange_values(address: Address, pattern: URLPattern) -> dict[str, str]:
    """The ids in an address: its value's name, and the kind of thing, by the part of the path before it."""
    found = {}
    for before, name in _VALUE.findall(str(pattern.pattern)):
        if name in WORDS:
            continue
        assert address.resource or before in {*LOCAL, *REMOTE}, f"{address.told}: nobody has said what {name} is"
        found[name] = "" if address.resource else before
    return found


WITH_IDS = [
    one
    for one in matrix.addresses()
    if one.whose != matrix.OTHERS
    and one.resource not in SHARED
    and "<slug:slug>" in one.shown
    and strange_values(one, matrix.named()[one.name])
]


class Scene:
    """The two workspaces, and the browser of somebody who manages both."""

    def __init__(self, shelf: Shelf) -> None:
        self.furnished: Furnished = furnish(shelf)
        self.shelf = shelf
        sales, elsewhere = self.furnished.sales, self.furnished.elsewhere
        Member.objects.create(workspace=sales.workspace, user=elsewhere.owner, role=Role.MANAGER)
        cast.credential(sales.workspace, elsewhere.owner, SECRET)
        self.theirs: dict[str, Any] = elsewhere.values | elsewhere.own[""]
        self.browser = self.furnished.browsers["elsewhere's manager"]
        for path, row in _rows():
            shelf.faults[f"{path}/{THEIRS}"] = Reply(200, row)

    def urls(self, address: Address) -> Iterator[str]:
        """The address in the first workspace, with one id after the other replaced by one of the second."""
        pattern = matrix.named()[address.name]
        values = self.furnished.sales.values | self.furnished.sales.own[""]
        values |= {"resource": address.resource or "flows", "action": address.action or "delete", "slug": "sales"}
        wanted = pattern.pattern.converters
        for name, kind in strange_values(address, pattern).items():
            thing = "export" if address.name in EXPORTS else LOCAL.get(kind)
            other = {name: self.theirs[thing] if thing else THEIRS}
            yield reverse(address.name, kwargs={key: (values | other)[key] for key in wanted})

    def ask(self, method: str, url: str, headers: dict[str, str]) -> HttpResponseBase:
        """What is answered; nothing that is done stays."""
        self.shelf.seen.clear()
        with transaction.atomic():
            answer = self.browser.generic(method, url, headers=headers)
            # Some addresses that only take POST lead whoever reads them to the thing's page, or to one that is not about it.
            leads = answer.headers.get("Location") or answer.headers.get("HX-Redirect", "")
            if method == "GET" and answer.status_code != 404 and leads:
                answer = self.browser.get(leads)
            self.wrong = "" if leads and url.split("/")[4] not in leads else self._wrong(answer)
            transaction.set_rollback(True)
        return answer

    def _wrong(self, answer: HttpResponseBase) -> str:
        if answer.status_code == 405:
            return ""  # the address takes no such request, for no id
        if answer.status_code != 404:
            return f"{answer.status_code} {answer.headers.get('HX-Redirect', '')}{answer.headers.get('Location', '')}"
        assert isinstance(answer, HttpResponse), "a page that says what is not there is whole"
        if MARK in answer.content.decode():
            return "its page names the thing"
        if any(seen.method != "GET" for seen in self.shelf.seen):
            return "it writes to the engine"
        return ""


def _rows() -> Iterator[tuple[str, dict[str, Any]]]:
    own = {"id": THEIRS, "projectId": "E" * 21, "projectIds": ["E" * 21]}
    for resource in RESOURCES:
        sample = samples.of(resource)
        yield sample.path, sample.row(MARK) | own
    yield "/flows", flow(77, MARK) | own
    yield "/flow-runs", run(77, flowVersion={"displayName": MARK}) | own
    yield "/fields", tables.field(77, MARK) | own
    yield "/records", tables.record(77, {2: MARK}) | own


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """Once for all."""
    with once(django_db_blocker) as shelf:
        yield Scene(shelf)


@pytest.mark.parametrize("flavour", [Flavour.ACTIVEPIECES, Flavour.IMBRACE])
def test_an_id_of_another_workspace_is_not_found_at_any_address(scene: Scene, flavour: str) -> None:
    mine = [one for one in WITH_IDS if one.flavour == flavour]
    assert mine
    base = scene.shelf.url if flavour == Flavour.IMBRACE else f"{scene.shelf.url}/api"
    Workspace.objects.filter(slug="sales").update(flavour=flavour, address=base)
    found = []
    for address in mine:
        for url in scene.urls(address):
            for method in ("GET", "POST"):
                for headers in ({}, _HTMX):
                    scene.ask(method, url, headers)
                    if scene.wrong:
                        found.append(f"{method} {'part' if headers else 'page'} {address.told}: {scene.wrong}")
    assert found == []


@pytest.mark.parametrize(("role", "values"), [(Role.MANAGER, {"payload": "{}", "how": "start"}), (Role.LAUNCHER, {})])
def test_what_a_page_of_one_workspace_carries_starts_nothing_in_another(
    scene: Scene, role: Role, values: dict[str, str]
) -> None:
    Member.objects.filter(user=scene.furnished.elsewhere.owner).update(role=role)
    shown = scene.browser.get(f"/w/elsewhere/flows/{THEIRS}/launch/").content.decode()
    carried = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', shown))
    assert carried.keys() & {"flow", "_flow"}
    answer = scene.browser.post(f"/w/sales/flows/{THEIRS}/launch/", carried | values)
    assert answer.status_code == 404
    assert MARK not in answer.content.decode()
    assert not Launch.objects.filter(flow_id=THEIRS).exists()


@pytest.mark.parametrize("action", [one for one in matrix.addresses() if one.name == "bulk_choose"], ids=str)
def test_a_bulk_action_leaves_out_what_belongs_to_another_workspace(scene: Scene, action: Address) -> None:
    made = scene.browser.post(reverse("bulk_choose", args=["sales", action.resource, action.action]), {"id": THEIRS})
    job = Job.objects.get(pk=made["Location"].rstrip("/").rpartition("/")[2])
    scene.shelf.seen.clear()
    while bulk_work.turn(job.pk, BY_NAME):
        pass
    begun = scene.browser.post(f"{made['Location']}begin/", {"sure": "yes"})
    while bulk_work.turn(job.pk, BY_NAME):
        pass
    assert job.items.get().state == ItemState.SKIPPED, begun.content.decode()
    assert not [seen for seen in scene.shelf.seen if seen.method != "GET"]


def test_no_field_of_a_form_takes_an_id_of_another_workspace(scene: Scene) -> None:
    tried, found = set(), []
    for address in matrix.addresses():
        if not address.action or address.name == "bulk_choose" or address.flavour != Flavour.ACTIVEPIECES:
            continue
        url = address.url(scene.furnished.sales, "")
        page = scene.browser.get(url)
        fields = page.context["form"].fields if page.status_code == 200 else {}
        for name, field in fields.items():
            if isinstance(field, forms.ChoiceField):
                tried.add(f"{address.resource} {address.action} {name}")
                scene.shelf.seen.clear()
                answer = scene.browser.post(url, {name: THEIRS})
                errors = answer.context["form"].errors if answer.status_code == 422 else {}
                if name not in errors or any(seen.method != "GET" for seen in scene.shelf.seen):
                    found.append(f"{address.told}: {name} {answer.status_code}")
    assert found == []
    assert {"flows move folder", "mcp-servers add-flow flow"} <= tried


def test_a_forms_choices_do_not_come_from_a_table_of_another_workspace(scene: Scene) -> None:
    url = reverse("form_field_new", args=["sales", furnished.FLOW])
    for table in (identity(1), THEIRS):
        # Else the columns are remembered, and nobody is asked.
        caches.empty()
        scene.shelf.seen.clear()
        scene.browser.post(url, {"kind": "choice", "table": table, "where": "a", "_show": "1"})
        asked = [one["tableId"] for one in scene.shelf.queries("/fields")]
        assert asked == ([[table]] if table != THEIRS else [])
