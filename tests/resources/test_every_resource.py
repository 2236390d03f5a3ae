"""What holds for every declared resource: one suite over the list of them."""

import re
from typing import Any

import pytest
from django import forms
from django.core.cache import cache
from django.test import Client
from django.utils.html import escape

from tests.cast import Cast
from tests.engine.servers import Reply
from tests.resources import samples
from tests.resources.samples import NAME
from tests.shelf import SECRET, Shelf, identity, text
from workflows_ui.kit.resource import Resource
from workflows_ui.models import Flavour, Member, Role, Workspace
from workflows_ui.resources import RESOURCES

every = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: str(resource.name))
#: Calls to the engine for a page of a list, the names that it needs included.
MOST_CALLS = 2
LATE = {"HX-Request": "true", "HX-Target": "results"}
_DOWN = Reply(502, b"<html>no</html>", (("retry-after", "0"),))


@pytest.fixture(autouse=True)
def _engine_that_has_it(cast: Cast, shelf: Shelf, resource: Resource) -> None:
    """What only Imbrace has is asked for at an Imbrace gateway; to it the shelf is the same."""
    if samples.of(resource).flavour == Flavour.IMBRACE:
        Workspace.objects.filter(pk=cast.workspace.pk).update(flavour=Flavour.IMBRACE, address=shelf.url)


def page_of(resource: Resource) -> str:
    return resource.url("sales")


def object_of(resource: Resource) -> str:
    return resource.url("sales", samples.of(resource).key)


@every
def test_the_list_links_to_the_object_and_the_object_back(owner: Client, shelf: Shelf, resource: Resource) -> None:
    sample = samples.of(resource)
    sample.fill(shelf)
    listed = text(owner.get(page_of(resource)).content)
    assert f'href="{object_of(resource)}"' in listed
    assert NAME in listed
    shown = text(owner.get(object_of(resource)).content)
    assert f'href="{page_of(resource)}"' in shown
    assert NAME in shown


@every
def test_a_page_begins_with_its_facts_and_that_of_a_run_with_what_happened(resource: Resource) -> None:
    named = [str(panel.label) for panel in resource.panels if panel.label]
    assert named[0] == ("Steps" if resource.name == "runs" else "Facts")


@every
def test_a_list_takes_one_call_and_one_for_names_which_is_remembered(
    owner: Client, shelf: Shelf, resource: Resource
) -> None:
    sample = samples.of(resource)
    calls = [*sample.calls]
    sample.fill(shelf)
    owner.get(page_of(resource))
    assert shelf.calls == calls
    assert len(calls) <= MOST_CALLS
    owner.get(page_of(resource))
    # The list itself is asked for anew, unless it is one that is fetched once and remembered.
    assert shelf.calls in ([*calls, calls[0]], calls)


@every
def test_no_filter_makes_a_list_take_more_than_two_calls(owner: Client, shelf: Shelf, resource: Resource) -> None:
    sample = samples.of(resource)
    sample.fill(shelf)
    for query in filters_of(resource):
        cache.clear()
        shelf.seen.clear()
        assert owner.get(page_of(resource), query).status_code == 200
        assert len(shelf.calls) <= MOST_CALLS, (query, shelf.calls)


def filters_of(resource: Resource) -> list[dict[str, str]]:
    """Each filter by itself with each value that it offers or one of its kind, and all of them together."""
    single: list[dict[str, str]] = []
    for name, field in resource.filters().fields.items():
        offered = [str(value) for value, _label in getattr(field, "choices", ()) if value]
        value = "2026-11-25" if isinstance(field, forms.DateField) else "something"
        single += [{name: one} for one in offered or [value]]
    together: dict[str, str] = {}
    for one in single:
        together |= one
    return [{}, *single, together]


@every
def test_what_decorates_a_list_comes_with_a_second_look_that_asks_for_no_third(
    owner: Client, shelf: Shelf, resource: Resource
) -> None:
    sample = samples.of(resource)
    sample.fill(shelf)
    for path in sample.late:
        shelf.rows.setdefault(path, [])
    first = text(owner.get(page_of(resource)).content)
    marked = f'hx-get="{page_of(resource)}?late=1"'
    assert (marked in first) is bool(sample.late)
    shelf.seen.clear()
    second = owner.get(f"{page_of(resource)}?late=1", headers=LATE)
    assert set(shelf.calls) - {sample.path} == set(sample.late)
    page = text(second.content)
    assert NAME in page
    assert "late=1" not in page
    # From then on it is remembered.
    assert "late=1" not in text(owner.get(page_of(resource)).content)


@every
def test_a_second_look_at_an_engine_that_refuses_what_decorates_ends_there(
    owner: Client, shelf: Shelf, resource: Resource
) -> None:
    sample = samples.of(resource)
    sample.fill(shelf)
    for path in sample.late:
        shelf.faults[path] = _DOWN
    page = text(owner.get(f"{page_of(resource)}?late=1", headers=LATE).content)
    assert NAME in page
    assert "late=1" not in page


@every
def test_what_one_credential_saw_is_not_shown_to_another(
    cast: Cast, client: Client, shelf: Shelf, resource: Resource
) -> None:
    samples.of(resource).fill(shelf)
    Member.objects.filter(user=cast.colleague).update(role=Role.MANAGER)
    for person in (cast.owner, cast.colleague):
        client.force_login(person)
        client.get(page_of(resource))
    sample = samples.of(resource)
    assert shelf.calls == [*sample.calls] * 2


@every
def test_an_empty_list_says_what_would_be_there(owner: Client, shelf: Shelf, resource: Resource) -> None:
    sample = samples.of(resource)
    shelf.rows[sample.path] = []
    if sample.array:
        shelf.arrays.add(sample.path)
    page = text(owner.get(page_of(resource)).content)
    assert str(escape(resource.empty)) in page
    assert str(escape(resource.empty_hint)) in page


@every
def test_an_engine_that_is_down_is_no_mistake_of_ours(owner: Client, shelf: Shelf, resource: Resource) -> None:
    sample = samples.of(resource)
    shelf.faults[sample.path] = shelf.faults[f"/{sample.key}"] = _DOWN
    assert owner.get(page_of(resource)).status_code == 503
    assert owner.get(object_of(resource)).status_code == 503


@every
def test_names_that_cannot_be_had_leave_the_list_standing(owner: Client, shelf: Shelf, resource: Resource) -> None:
    sample = samples.of(resource)
    sample.fill(shelf)
    for path in sample.calls[1:]:
        shelf.faults[path] = Reply(403, {"code": "PERMISSION_DENIED", "params": {}})
    answer = owner.get(page_of(resource))
    assert answer.status_code == 200
    assert NAME in text(answer.content)


@every
@pytest.mark.parametrize(
    "id", ["", "missing", "a/b", "..", "%2e%2e", "x" * 3000, "<b>"], ids=lambda text: text[:10] or "none"
)
def test_an_id_that_is_none_is_not_found_and_no_mistake_of_ours(
    owner: Client, shelf: Shelf, resource: Resource, id: str
) -> None:
    samples.of(resource).fill(shelf)
    answer = owner.get(f"{page_of(resource)}{id}/" if id else f"{page_of(resource)}%20/")
    assert answer.status_code == 404


@every
def test_a_stranger_sees_nothing_and_the_engine_is_not_asked(
    cast: Cast, client: Client, shelf: Shelf, resource: Resource
) -> None:
    samples.of(resource).fill(shelf)
    client.force_login(cast.stranger)
    assert client.get(page_of(resource)).status_code == 404
    assert client.get(object_of(resource)).status_code == 404
    assert not shelf.seen


@every
@pytest.mark.parametrize("role", list(Role), ids=str)
def test_whoever_has_the_role_may_look_and_nobody_else(
    cast: Cast, client: Client, shelf: Shelf, resource: Resource, role: Role
) -> None:
    samples.of(resource).fill(shelf)
    Member.objects.filter(user=cast.colleague).update(role=role)
    client.force_login(cast.colleague)
    expected = 200 if role.includes(resource.role) else 403
    assert client.get(page_of(resource)).status_code == expected
    assert client.get(object_of(resource)).status_code == expected


@every
def test_the_credentials_secret_is_on_no_page(owner: Client, shelf: Shelf, resource: Resource) -> None:
    samples.of(resource).fill(shelf)
    for address in (page_of(resource), object_of(resource)):
        assert SECRET not in owner.get(address).content.decode()
    assert f"Bearer {SECRET}" in {seen.headers["authorization"] for seen in shelf.seen}


@every
def test_how_to_ask_for_it_oneself_is_told_without_the_secret(owner: Client, shelf: Shelf, resource: Resource) -> None:
    sample = samples.of(resource)
    sample.fill(shelf)
    page = owner.get(object_of(resource)).content.decode()
    call = resource.call(sample.key)
    assert ("WORKFLOW_SECRET" in page) is (call is not None)
    if call is not None:
        assert escape(call[1]) in page


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
    sample = samples.of(resource)
    sample.put(shelf, odd)
    assert owner.get(page_of(resource)).status_code == 200
    # By the list alone an object without its id is not found.
    assert owner.get(object_of(resource)).status_code in ((200,) if sample.alone else (200, 404))


@every
def test_html_in_a_name_is_text(owner: Client, shelf: Shelf, resource: Resource) -> None:
    samples.of(resource).fill(shelf, "<script>alert(1)</script>")
    for address in (page_of(resource), object_of(resource)):
        page = owner.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


@every
def test_a_name_of_blanks_leaves_something_to_click_on(owner: Client, shelf: Shelf, resource: Resource) -> None:
    samples.of(resource).fill(shelf, " \u200b ")
    page = owner.get(page_of(resource)).content.decode()
    links = re.findall(rf'<a href="{re.escape(object_of(resource))}">(.*?)</a>', page, re.DOTALL)
    for link in links:
        assert re.sub(r"<[^>]*>|[\s\u200b]", "", link)
    assert owner.get(object_of(resource)).status_code == 200


@every
def test_a_page_of_huge_data_is_cut(owner: Client, shelf: Shelf, resource: Resource) -> None:
    sample = samples.of(resource)
    sample.fill(shelf, **sample.huge)
    answer = owner.get(object_of(resource))
    assert len(answer.content) < 1_000_000
    assert ("more characters are not shown" in text(answer.content)) is bool(sample.huge)


@every
def test_filters_that_are_on_are_chips_and_nothing_found_says_so(
    owner: Client, shelf: Shelf, resource: Resource
) -> None:
    sample = samples.of(resource)
    shelf.rows[sample.path] = []
    if sample.array:
        shelf.arrays.add(sample.path)
    page = text(owner.get(f"{page_of(resource)}?{sample.filter}").content)
    assert ("Nothing fits these filters" in page) is bool(sample.filter)
    assert ("Remove this filter" in page) is bool(sample.filter)


@every
def test_filters_that_make_no_sense_are_told_and_the_engine_is_not_asked(
    owner: Client, shelf: Shelf, resource: Resource
) -> None:
    sample = samples.of(resource)
    sample.fill(shelf)
    answer = owner.get(f"{page_of(resource)}?{sample.odd_filter}")
    assert answer.status_code == 200
    assert ("These filters cannot be used" in text(answer.content)) is bool(sample.odd_filter)
    assert bool(shelf.seen) is not bool(sample.odd_filter)
