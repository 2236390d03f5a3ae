"""What holds for every declared resource: one suite over the list of them."""

from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from tests.cast import Cast
from tests.engine.servers import Reply
from tests.shelf import SECRET, Shelf, flow, identity, run, text
from workflows_ui.kit.resource import Resource
from workflows_ui.models import Member, Role
from workflows_ui.resources import RESOURCES

#: How many calls the first look at a list takes: the list, and at most one for names.
CALLS = {"flows": ["/flows", "/folders"], "runs": ["/flow-runs", "/flows"]}
every = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: str(resource.name))


def fill(shelf: Shelf, **changes: Any) -> None:
    shelf.flows, shelf.runs = [flow(**changes.get("flow", {}))], [run(**changes.get("run", {}))]


def page_of(resource: Resource, id: str = "") -> str:
    return resource.url("sales", id)


@every
def test_the_list_links_to_the_object_and_the_object_back(owner: Client, shelf: Shelf, resource: Resource) -> None:
    fill(shelf)
    listed = text(owner.get(page_of(resource)).content)
    assert f'href="{page_of(resource, identity(1))}"' in listed
    assert "Order intake" in listed
    shown = text(owner.get(page_of(resource, identity(1))).content)
    assert f'href="{page_of(resource)}"' in shown
    assert identity(1) in shown


@every
def test_a_list_takes_one_call_and_one_for_names_which_is_remembered(
    owner: Client, shelf: Shelf, resource: Resource
) -> None:
    fill(shelf)
    owner.get(page_of(resource))
    assert shelf.calls == CALLS[resource.name]
    owner.get(page_of(resource))
    assert shelf.calls == [*CALLS[resource.name], CALLS[resource.name][0]]


@every
def test_what_one_credential_saw_is_not_shown_to_another(
    cast: Cast, client: Client, shelf: Shelf, resource: Resource
) -> None:
    fill(shelf)
    for person in (cast.owner, cast.colleague):
        client.force_login(person)
        client.get(page_of(resource))
    assert shelf.calls == CALLS[resource.name] * 2


@every
def test_an_empty_list_says_what_would_be_there(owner: Client, shelf: Shelf, resource: Resource) -> None:
    page = text(owner.get(page_of(resource)).content)
    assert str(resource.empty) in page
    assert str(escape(resource.empty_hint)) in page


@every
def test_an_engine_that_is_down_is_no_mistake_of_ours(owner: Client, shelf: Shelf, resource: Resource) -> None:
    shelf.faults["/flows"] = shelf.faults["/flow-runs"] = shelf.faults[identity(1)] = Reply(502, b"<html>no</html>")
    assert owner.get(page_of(resource)).status_code == 503
    assert owner.get(page_of(resource, identity(1))).status_code == 503


@every
def test_names_that_cannot_be_had_leave_the_list_standing(owner: Client, shelf: Shelf, resource: Resource) -> None:
    fill(shelf)
    shelf.faults[CALLS[resource.name][1]] = Reply(403, {"code": "PERMISSION_DENIED", "params": {}})
    answer = owner.get(page_of(resource))
    assert answer.status_code == 200
    assert "Order intake" in text(answer.content)


@every
@pytest.mark.parametrize(
    "id", ["", "missing", "a/b", "..", "%2e%2e", "x" * 3000, "<b>"], ids=lambda text: text[:10] or "none"
)
def test_an_id_that_is_none_is_not_found_and_no_mistake_of_ours(
    owner: Client, shelf: Shelf, resource: Resource, id: str
) -> None:
    answer = owner.get(f"{page_of(resource)}{id}/" if id else f"{page_of(resource)}%20/")
    assert answer.status_code == 404


@every
def test_a_stranger_sees_nothing_and_the_engine_is_not_asked(
    cast: Cast, client: Client, shelf: Shelf, resource: Resource
) -> None:
    fill(shelf)
    client.force_login(cast.stranger)
    assert client.get(page_of(resource)).status_code == 404
    assert client.get(page_of(resource, identity(1))).status_code == 404
    assert not shelf.seen


@every
def test_a_viewer_may_look(cast: Cast, client: Client, shelf: Shelf, resource: Resource) -> None:
    fill(shelf)
    Member.objects.filter(user=cast.colleague).update(role=Role.VIEWER)
    client.force_login(cast.colleague)
    assert client.get(page_of(resource)).status_code == 200
    assert client.get(page_of(resource, identity(1))).status_code == 200


@every
def test_the_credentials_secret_is_on_no_page(owner: Client, shelf: Shelf, resource: Resource) -> None:
    fill(shelf)
    for address in (page_of(resource), page_of(resource, identity(1))):
        assert SECRET not in owner.get(address).content.decode()
    assert f"Bearer {SECRET}" in {seen.headers["authorization"] for seen in shelf.seen}


ODD: list[dict[str, Any]] = [
    {},
    {"id": identity(1)},
    {"id": None, "version": None, "flowVersion": None, "status": None, "steps": None},
    {"id": 7, "version": [], "flowVersion": "x", "status": {}, "steps": [], "created": 5, "updated": {}},
    {"id": identity(1), "version": {"displayName": "x" * 10_000, "trigger": "odd"}, "status": "NEW", "folderId": {}},
    {
        "id": identity(1),
        "flowVersion": {"displayName": "x" * 10_000},
        "status": "NEW",
        "tags": "odd",
        "steps": {"a": 1},
    },
    {"id": identity(1), "version": {"displayName": "", "trigger": {"settings": [], "nextAction": 5}}},
    {"id": identity(1), "flowVersion": {"displayName": "  "}, "startTime": "", "finishTime": "x", "failedStep": ""},
]


@every
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_data_is_shown_and_breaks_nothing(
    owner: Client, shelf: Shelf, resource: Resource, odd: dict[str, Any]
) -> None:
    shelf.flows = shelf.runs = [odd]
    assert owner.get(page_of(resource)).status_code == 200
    shelf.faults[identity(1)] = Reply(200, odd)
    assert owner.get(page_of(resource, identity(1))).status_code == 200


@every
def test_html_in_a_name_is_text(owner: Client, shelf: Shelf, resource: Resource) -> None:
    name = "<script>alert(1)</script>"
    fill(shelf, flow={"name": name}, run={"flowVersion": {"displayName": name}})
    for address in (page_of(resource), page_of(resource, identity(1))):
        page = owner.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


@every
def test_a_page_of_huge_data_is_cut(owner: Client, shelf: Shelf, resource: Resource) -> None:
    fill(shelf, flow={"metadata": {"note": "y" * 3_000_000}}, run={"steps": {"a": {"output": "y" * 3_000_000}}})
    answer = owner.get(page_of(resource, identity(1)))
    assert len(answer.content) < 1_000_000
    assert "more characters are not shown" in text(answer.content)


@every
def test_filters_that_are_on_are_chips_and_nothing_found_says_so(
    owner: Client, shelf: Shelf, resource: Resource
) -> None:
    page = text(owner.get(f"{page_of(resource)}?status={'ENABLED' if resource.name == 'flows' else 'FAILED'}").content)
    assert "Nothing fits these filters" in page
    assert "Remove this filter" in page


@every
def test_filters_that_make_no_sense_are_told_and_the_engine_is_not_asked(
    owner: Client, shelf: Shelf, resource: Resource
) -> None:
    answer = owner.get(f"{page_of(resource)}?status=NO_SUCH_STATE")
    assert answer.status_code == 200
    assert "These filters cannot be used" in text(answer.content)
    assert not shelf.seen
