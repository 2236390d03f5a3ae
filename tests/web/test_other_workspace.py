"""Ids of things that belong to another workspace: every address that takes an id treats them like ids that do not exist.

The person here manages both workspaces and owns the things. The engine is careless: it returns and changes anything it is asked for,
regardless of the project. It is asked about such an id once, to find out its project, and no other call carries it. That holds for every
state of the cache: empty (the quick tests), filled by pages of both workspaces, and partly expired. Objects above workspaces (teams,
people, one's own sessions and notices) are covered by test_matrix.py with those of somebody else.
"""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django import forms
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, reverse

from tests import caches, users
from tests.engine.servers import Reply
from tests.resources import samples
from tests.resources.samples import tables
from tests.stub_engine import SECRET, StubEngine, flow, identity, run
from tests.web import filled_workspace, matrix
from tests.web.filled_workspace import Furnished, Place, furnish, once
from tests.web.matrix import Address
from workflows_ui.jobs.models import ItemState, Job
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Flavour, Member, Role, Workspace
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resources import BY_NAME, RESOURCES
from workflows_ui.runs import filters as run_filters

pytestmark = [pytest.mark.django_db]

#: The id of everything that the engine holds of the other workspace, and what all of it is called.
THEIRS, MARK = identity(77), "Name from the other workspace"
#: What an address's value is when it is no id of anything: a word, a number within a thing, an app that all workspaces share.
WORDS = {"slug", "resource", "action", "kind", "position", "number", "field", "piece", "step", "does"}
#: Ids in addresses: the part of the path before the id, and the name of the other workspace's thing in `furnished`.
LOCAL = {
    "credentials": "credential_id",
    "launches": "launch",
    "jobs": "job",
    "inputs": "inputs",
    "notes": "note",
    "saved-views": "view_id",
    "recently-deleted": "copy_id",
    "edits": "edit",
    "checks": "write_id",
    "alarms": "alarm_id",
    "muted": "mute_id",
    "channels": "channel_id",
    "failures": "fingerprint",
    "following": "mute",
    "audit": "row",
    "members": "member_id",
    "people": "person_id",
    "requests": "request_id",
    "invitations": "invitation_id",
    "launch-rights": "right_id",
    "on-failure": "rule_id",
}
REMOTE = {"flows", "runs", "tables", "records", "fields", "mcp-servers"}
#: What all workspaces of an engine share.
SHARED = {"pieces"}
#: Addresses of jobs that are exports.
EXPORTS = {"export", "export_file", "export_stop"}
#: Fields of lists' filters that take ids, and those that take something else.
FILTER_IDS = {("flows", "folder"), ("flows", "owner"), ("runs", "flow"), ("runs", "failed"), ("runs", "person")}
#: A connection's external id is a name within one project: the engine compares it with nothing of others.
FILTER_WORDS = {"name", "connection", "tag", "search", "app", "period", "since", "until", "channel", "hour"}
#: What is remembered: nothing; what pages of both workspaces asked for; that, so many seconds later.
MEMORY = {"cold": -1, "warm": 0, "after a minute": 61, "after ten minutes": 601}
memories = pytest.mark.parametrize(
    "memory", [name if name == "cold" else pytest.param(name, marks=pytest.mark.slow) for name in MEMORY]
)
_VALUE = re.compile(r"(?:([\w-]+)/)?<\w+:(\w+)>")
_HTMX = {"HX-Request": "true", "HX-Target": "live"}


def strange_values(address: Address, pattern: URLPattern) -> dict[str, str]:
    """The ids in an address: its value's name, and the kind of thing, by the part of the path before it."""
    found = {}
    route = str(pattern.pattern).replace("<slug:subject>", "flows")  # Notes are tried on flows.
    for before, name in _VALUE.findall(route):
        if name in WORDS:
            continue
        assert address.resource or before in {*LOCAL, *REMOTE}, f"{address.label}: nobody has said what {name} is"
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
#: The pages of things that lists may be filtered by.
LISTED = [one for one in WITH_IDS if one.name == "resource_detail"]


class Scene:
    """The two workspaces, and the browser of somebody who manages both."""

    def __init__(self, stub_engine: StubEngine) -> None:
        self.furnished: Furnished = furnish(stub_engine)
        self.stub_engine = stub_engine
        sales, elsewhere = self.furnished.sales, self.furnished.elsewhere
        Member.objects.create(workspace=sales.workspace, user=elsewhere.owner, role=Role.MANAGER)
        users.credential(sales.workspace, elsewhere.owner, SECRET)
        self.theirs: dict[str, Any] = elsewhere.values | elsewhere.own[""]
        self.browser = self.furnished.browsers["elsewhere's manager"]
        for path, row in _rows():
            stub_engine.faults[f"{path}/{THEIRS}"] = Reply(200, row)

    def urls(self, address: Address) -> Iterator[str]:
        """The address in the first workspace, with one id after the other replaced by one of the second."""
        sales = self.furnished.sales
        for name, thing in _things(address).items():
            yield self._url(address, sales, {name: self.theirs[thing] if thing else THEIRS})

    def _url(self, address: Address, place: Place, others: dict[str, Any]) -> str:
        values = (
            place.values
            | place.own[""]
            | {"resource": address.resource or "flows", "action": address.action or "delete"}
        )
        values |= {name: values[thing] for name, thing in _things(address).items() if thing} | others
        return reverse(
            address.name, kwargs={key: values[key] for key in matrix.named()[address.name].pattern.converters}
        )

    def ask(self, method: str, url: str, headers: dict[str, str]) -> HttpResponseBase:
        """What is answered; nothing that is done stays."""
        self.stub_engine.seen.clear()
        with transaction.atomic():
            answer = self.browser.generic(method, url, headers=headers)
            # Some addresses that only take POST redirect readers to the object's page, or to one that is not about it.
            leads = answer.headers.get("Location") or answer.headers.get("HX-Redirect", "")
            if method == "GET" and answer.status_code != 404 and leads:
                answer = self.browser.get(leads)
            self.wrong = "" if leads and url.split("/")[4] not in leads else self._wrong(answer)
            transaction.set_rollback(True)
        return answer

    def visit(self, addresses: list[Address]) -> None:
        """Opens these pages of both workspaces, each with its own things."""
        for address in addresses:
            remote = {name: THEIRS for name, thing in _things(address).items() if not thing}
            for url in (
                self._url(address, self.furnished.sales, {}),
                self._url(address, self.furnished.elsewhere, remote),
            ):
                with transaction.atomic():
                    self.browser.get(url)
                    transaction.set_rollback(True)

    def remember(self, seconds: int, addresses: list[Address]) -> None:
        """What MEMORY says is remembered of these pages at the moment to which the clock is moved."""
        caches.empty()
        if seconds >= 0:
            self.visit(addresses)
            caches.end(seconds)

    def journal(self) -> str:
        """What the engine was asked with one of their ids, and whose it is; "" for nothing."""
        checks: list[str] = []
        others: list[str] = []
        for seen in self.stub_engine.seen:
            if THEIRS in f"{seen.path} {seen.query} {seen.body.decode()}":
                alone = seen.method == "GET" and seen.path.endswith(f"/{THEIRS}") and THEIRS not in seen.query
                (checks if alone else others).append(f"{seen.method} {seen.path} {seen.query}")
        return " ".join(others or checks[1:])

    def _wrong(self, answer: HttpResponseBase) -> str:
        if self.journal():
            return f"it asks the engine {self.journal()}"
        if answer.status_code == 405:
            return ""  # the address takes no such request, for no id
        if answer.status_code != 404:
            return f"{answer.status_code} {answer.headers.get('HX-Redirect', '')}{answer.headers.get('Location', '')}"
        assert isinstance(answer, HttpResponse), "a page that says what is not there is whole"
        if MARK in answer.content.decode():
            return "its page names the thing"
        if any(seen.method != "GET" for seen in self.stub_engine.seen):
            return "it writes to the engine"
        return ""


def _things(address: Address) -> dict[str, str]:
    """The ids in an address, and of what is ours the name in `furnished`; "" for what the engine holds."""
    kinds = strange_values(address, matrix.named()[address.name])
    return {name: "export" if address.name in EXPORTS else LOCAL.get(kind, "") for name, kind in kinds.items()}


def _rows() -> Iterator[tuple[str, dict[str, Any]]]:
    own = {"id": THEIRS, "projectId": "E" * 21, "projectIds": ["E" * 21]}
    for resource in RESOURCES:
        sample = samples.sample_for(resource)
        yield sample.path, sample.row(MARK) | own
    yield "/flows", flow(77, MARK) | own
    yield "/flow-runs", run(77, flowVersion={"displayName": MARK}) | own
    yield "/fields", tables.field(77, MARK) | own
    yield "/records", tables.record(77, {2: MARK}) | own


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """Once for all."""
    with once(django_db_blocker) as stub_engine:
        yield Scene(stub_engine)


@pytest.mark.slow
@memories
@pytest.mark.parametrize("flavour", [Flavour.ACTIVEPIECES, Flavour.IMBRACE])
def test_an_id_of_another_workspace_is_not_found_at_any_address(scene: Scene, flavour: str, memory: str) -> None:
    mine = [one for one in WITH_IDS if one.flavour == flavour]
    assert mine
    base = scene.stub_engine.url if flavour == Flavour.IMBRACE else f"{scene.stub_engine.url}/api"
    users.move(Workspace.objects.get(slug="sales"), flavour=flavour, address=base)
    scene.remember(MEMORY[memory], mine)
    found = []
    # As a page and as a part of one; what is remembered as one of them, each address as the other one the next time.
    turn = list(MEMORY).index(memory)
    with time_machine.travel(time.time() + max(0, MEMORY[memory])):
        for number, address in enumerate(mine, turn):
            for url in scene.urls(address):
                for method in ("GET", "POST"):
                    for headers in ({}, _HTMX) if memory == "cold" else ((_HTMX, {})[number % 2],):
                        if memory == "cold":
                            caches.empty()
                        scene.ask(method, url, headers)
                        if scene.wrong:
                            found.append(f"{method} {'part' if headers else 'page'} {address.label}: {scene.wrong}")
    assert found == []


@memories
def test_no_list_is_filtered_by_an_id_of_another_workspace(scene: Scene, memory: str) -> None:
    users.move(
        Workspace.objects.get(slug="sales"), flavour=Flavour.ACTIVEPIECES, address=f"{scene.stub_engine.url}/api"
    )
    scene.remember(MEMORY[memory], LISTED)
    tried, found = set(), []
    with time_machine.travel(time.time() + max(0, MEMORY[memory])):
        for resource in RESOURCES:
            for name, field in resource.filters().fields.items():
                if name in FILTER_WORDS or (
                    isinstance(field, forms.ChoiceField) and not isinstance(field, run_filters.Several)
                ):
                    continue
                tried.add((resource.name, name))
                value = run_filters.step_of_flow("step_1", THEIRS) if name == "failed" else THEIRS
                for part in ({}, _HTMX):
                    scene.stub_engine.seen.clear()
                    query = {name: value, "late": "1"}
                    answer = scene.browser.get(resource.url("sales"), query, headers=part)
                    if scene.journal() or MARK in answer.content.decode() or answer.status_code >= 500:
                        found.append(f"{resource.name} {name}: {answer.status_code} {scene.journal()}")
    assert found == []
    assert tried == FILTER_IDS


@pytest.mark.parametrize(("role", "values"), [(Role.MANAGER, {"payload": "{}", "_how": "start"}), (Role.LAUNCHER, {})])
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
@pytest.mark.sampled(3)
def test_a_bulk_action_leaves_out_what_belongs_to_another_workspace(scene: Scene, action: Address) -> None:
    address = reverse("bulk_choose", args=["sales", action.resource, action.action])
    made = scene.browser.post(address, {"id": [THEIRS, "n" * 21]})
    job = Job.objects.get(pk=made["Location"].rstrip("/").rpartition("/")[2])
    scene.stub_engine.seen.clear()
    while worker.turn(job.pk, BY_NAME):
        pass
    begun = scene.browser.post(f"{made['Location']}begin/", {"sure": "yes"})
    while worker.turn(job.pk, BY_NAME):
        pass
    assert [item.state for item in job.items.all()] == [ItemState.SKIPPED] * 2, begun.content.decode()
    assert not [seen for seen in scene.stub_engine.seen if seen.method != "GET"]


@pytest.mark.slow
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
                scene.stub_engine.seen.clear()
                answer = scene.browser.post(url, {name: THEIRS})
                errors = answer.context["form"].errors if answer.status_code == 422 else {}
                if name not in errors or any(seen.method != "GET" for seen in scene.stub_engine.seen):
                    found.append(f"{address.label}: {name} {answer.status_code}")
    assert found == []
    assert {"flows move folder", "mcp-servers add-flow flow"} <= tried


def test_a_forms_choices_do_not_come_from_a_table_of_another_workspace(scene: Scene) -> None:
    url = reverse("form_field_new", args=["sales", filled_workspace.FLOW])
    for table in (identity(1), THEIRS):
        # Else the columns are remembered, and nobody is asked.
        caches.empty()
        scene.stub_engine.seen.clear()
        scene.browser.post(url, {"kind": "choice", "table": table, "where": "a", "_show": "1"})
        asked = [one["tableId"] for one in scene.stub_engine.queries("/fields")]
        assert asked == ([[table]] if table != THEIRS else [])
