"""What holds for every declared resource: one suite over the list of them. Who may look at it is in tests/web/test_matrix.py."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from django import forms
from django.test import Client
from django.utils.html import escape

from tests import caches, users as people
from tests.engine.servers import Reply
from tests.resources import samples
from tests.resources.samples import NAME
from tests.stub_engine import SECRET, StubEngine, identity, text
from tests.users import Users
from workflows_ui.members.models import Flavour, Member, Role
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.resources import RESOURCES

every = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: str(resource.name))
#: Calls to the engine for a page of a list, the names that it needs included.
MOST_CALLS = 2
LATE = {"HX-Request": "true", "HX-Target": "results"}
_DOWN = Reply(502, b"<html>no</html>", (("retry-after", "0"),))


@pytest.fixture(autouse=True)
def _engine_that_has_it(users: Users, stub_engine: StubEngine, resource: Resource) -> None:
    """What only Imbrace has is asked for at an Imbrace gateway; to it the stub engine is the same."""
    if samples.sample_for(resource).flavour == Flavour.IMBRACE:
        people.move(users.workspace, flavour=Flavour.IMBRACE, address=stub_engine.url)


def page_of(resource: Resource) -> str:
    return resource.url("sales")


def object_of(resource: Resource) -> str:
    return resource.url("sales", samples.sample_for(resource).key)


@every
def test_the_list_links_to_the_object_and_the_object_back(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    sample = samples.sample_for(resource)
    sample.fill(stub_engine)
    listed = text(owner.get(page_of(resource)).content)
    assert f'href="{object_of(resource)}"' in listed
    assert NAME in listed
    shown = text(owner.get(object_of(resource)).content)
    assert f'href="{page_of(resource)}"' in shown
    assert NAME in shown


@every
def test_every_tab_has_its_own_address_and_works_as_a_page_and_as_a_fragment(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    samples.sample_for(resource).fill(stub_engine)
    page = text(owner.get(object_of(resource)).content)
    tabs = re.findall(r'<a id="tab-[^"]*" href="([^"]*)"', page)
    assert tabs[0] == object_of(resource)
    assert tabs[-2:] == [f"{object_of(resource)}?tab=history", f"{object_of(resource)}?tab=data"]
    for tab in tabs:
        whole = text(owner.get(tab).content)
        assert re.findall(r'href="([^"]*)"[^>]* aria-current="page">', whole[whole.index('class="object-tabs"') :]) == [
            tab
        ]
        fragment = text(owner.get(tab, headers={"HX-Request": "true", "HX-Target": "object"}).content)
        assert fragment.strip().startswith('<div id="object">')
    assert 'id="tab-overview"' in text(owner.get(f"{object_of(resource)}?tab=nonsense").content)


@every
def test_the_details_are_on_the_overview_only_and_the_data_on_its_own_tab(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    samples.sample_for(resource).fill(stub_engine)
    overview, history, data = (
        text(owner.get(f"{object_of(resource)}{query}").content) for query in ("", "?tab=history", "?tab=data")
    )
    assert ("object-details" in overview, "object-details" in history, "object-details" in data) == (True, False, False)
    assert ('id="raw-text"' in overview, 'id="raw-text"' in history, 'id="raw-text"' in data) == (False, False, True)


@every
def test_a_list_takes_one_call_and_one_for_names_which_is_remembered(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    sample = samples.sample_for(resource)
    calls = [*sample.calls]
    sample.fill(stub_engine)
    owner.get(page_of(resource))
    assert stub_engine.calls == calls
    assert len(calls) <= MOST_CALLS
    owner.get(page_of(resource))
    # The list itself is requested again, unless it is fetched once and cached.
    assert stub_engine.calls in ([*calls, calls[0]], calls)


@every
@pytest.mark.sampled(3)
def test_no_filter_makes_a_list_take_more_than_two_calls(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    sample = samples.sample_for(resource)
    sample.fill(stub_engine)
    for query in filters_of(resource):
        caches.forget_answers()
        stub_engine.seen.clear()
        assert owner.get(page_of(resource), query).status_code == 200
        assert len(stub_engine.calls) <= MOST_CALLS, (query, stub_engine.calls)


def filters_of(resource: Resource) -> list[dict[str, str]]:
    """Each filter alone with each value that it offers or one of its kind, and all of them together."""
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
@pytest.mark.sampled(3)
def test_what_decorates_a_list_comes_with_a_second_look_that_asks_for_no_third(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    sample = samples.sample_for(resource)
    sample.fill(stub_engine)
    for path in sample.late:
        stub_engine.rows.setdefault(path, [])
    first = text(owner.get(page_of(resource)).content)
    marked = f'hx-get="{page_of(resource)}?late=1"'
    assert (marked in first) is bool(sample.late)
    stub_engine.seen.clear()
    second = owner.get(f"{page_of(resource)}?late=1", headers=LATE)
    assert set(stub_engine.calls) - {sample.path} == set(sample.late)
    page = text(second.content)
    assert NAME in page
    assert "late=1" not in page
    # From then on it is remembered.
    assert "late=1" not in text(owner.get(page_of(resource)).content)


@every
@pytest.mark.sampled(3)
def test_a_second_look_at_an_engine_that_refuses_what_decorates_ends_there(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    sample = samples.sample_for(resource)
    sample.fill(stub_engine)
    for path in sample.late:
        stub_engine.faults[path] = _DOWN
    page = text(owner.get(f"{page_of(resource)}?late=1", headers=LATE).content)
    assert NAME in page
    assert "late=1" not in page


@every
@pytest.mark.sampled(3)
def test_what_one_credential_saw_is_not_shown_to_another(
    users: Users, client: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    samples.sample_for(resource).fill(stub_engine)
    Member.objects.filter(user=users.colleague).update(role=Role.MANAGER)
    for person in (users.owner, users.colleague):
        client.force_login(person)
        client.get(page_of(resource))
    sample = samples.sample_for(resource)
    assert stub_engine.calls == [*sample.calls] * 2


@every
@pytest.mark.sampled(3)
def test_an_empty_list_says_what_would_be_there(owner: Client, stub_engine: StubEngine, resource: Resource) -> None:
    sample = samples.sample_for(resource)
    stub_engine.rows[sample.path] = []
    if sample.array:
        stub_engine.arrays.add(sample.path)
    page = text(owner.get(page_of(resource)).content)
    assert str(escape(resource.empty)) in page
    assert str(escape(resource.empty_hint)) in page


@every
@pytest.mark.sampled(3)
def test_an_engine_that_is_down_is_no_mistake_of_ours(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    sample = samples.sample_for(resource)
    stub_engine.faults[sample.path] = stub_engine.faults[f"/{sample.key}"] = _DOWN
    assert owner.get(page_of(resource)).status_code == 503
    assert owner.get(object_of(resource)).status_code == 503


@every
@pytest.mark.sampled(3)
def test_names_that_cannot_be_had_leave_the_list_standing(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    sample = samples.sample_for(resource)
    sample.fill(stub_engine)
    for path in sample.calls[1:]:
        stub_engine.faults[path] = Reply(403, {"code": "PERMISSION_DENIED", "params": {}})
    answer = owner.get(page_of(resource))
    assert answer.status_code == 200
    assert NAME in text(answer.content)


@every
@pytest.mark.parametrize(
    "id", ["", "missing", "a/b", "..", "%2e%2e", "x" * 3000, "<b>"], ids=lambda text: text[:10] or "none"
)
@pytest.mark.sampled(5)
def test_an_invalid_id_is_not_found_and_no_error_of_the_console(
    owner: Client, stub_engine: StubEngine, resource: Resource, id: str
) -> None:
    samples.sample_for(resource).fill(stub_engine)
    answer = owner.get(f"{page_of(resource)}{id}/" if id else f"{page_of(resource)}%20/")
    assert answer.status_code == 404


@every
def test_a_stranger_sees_nothing_and_the_engine_is_not_asked(
    users: Users, client: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    samples.sample_for(resource).fill(stub_engine)
    client.force_login(users.stranger)
    assert client.get(page_of(resource)).status_code == 404
    assert client.get(object_of(resource)).status_code == 404
    assert not stub_engine.seen


@every
@pytest.mark.sampled(2)
def test_the_credentials_secret_is_on_no_page(owner: Client, stub_engine: StubEngine, resource: Resource) -> None:
    samples.sample_for(resource).fill(stub_engine)
    for address in (page_of(resource), object_of(resource)):
        assert SECRET not in owner.get(address).content.decode()
    assert f"Bearer {SECRET}" in {seen.headers["authorization"] for seen in stub_engine.seen}


@every
@pytest.mark.sampled(3)
def test_how_to_ask_for_it_oneself_is_shown_without_the_secret(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    sample = samples.sample_for(resource)
    sample.fill(stub_engine)
    page = owner.get(f"{object_of(resource)}?tab=data").content.decode()
    path = resource.recipe[0].format(id=quote(sample.key, safe="@/"))
    assert ("WORKFLOW_SECRET" in page) is bool(path)
    assert escape(path) in page


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


@pytest.mark.parametrize(
    ("resource", "odd"),
    [
        # Quickly, each resource meets every third oddity, and each oddity every third resource.
        pytest.param(one, odd, id=f"{one.name}-{turn}", marks=() if (turn + number) % 3 == 0 else pytest.mark.slow)
        for number, one in enumerate(RESOURCES)
        for turn, odd in enumerate(ODD)
    ],
)
@pytest.mark.sampled(3)
def test_odd_data_is_shown_and_breaks_nothing(
    owner: Client, stub_engine: StubEngine, resource: Resource, odd: dict[str, Any]
) -> None:
    sample = samples.sample_for(resource)
    sample.put(stub_engine, odd)
    assert owner.get(page_of(resource)).status_code == 200
    # By the list alone an object without its id is not found.
    assert owner.get(object_of(resource)).status_code in ((200,) if sample.has_own_call else (200, 404))


@every
@pytest.mark.sampled(2)
def test_html_in_a_name_is_text(owner: Client, stub_engine: StubEngine, resource: Resource) -> None:
    samples.sample_for(resource).fill(stub_engine, "<script>alert(1)</script>")
    for address in (page_of(resource), object_of(resource)):
        page = owner.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


@every
@pytest.mark.sampled(3)
def test_a_name_of_blanks_leaves_something_to_click_on(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    samples.sample_for(resource).fill(stub_engine, " \u200b ")
    page = owner.get(page_of(resource)).content.decode()
    links = re.findall(rf'<a href="{re.escape(object_of(resource))}">(.*?)</a>', page, re.DOTALL)
    for link in links:
        assert re.sub(r"<[^>]*>|[\s\u200b]", "", link)
    assert owner.get(object_of(resource)).status_code == 200


@every
@pytest.mark.sampled(3)
def test_a_page_of_huge_data_is_cut(owner: Client, stub_engine: StubEngine, resource: Resource) -> None:
    sample = samples.sample_for(resource)
    sample.fill(stub_engine, **sample.huge)
    assert len(owner.get(object_of(resource)).content) < 1_000_000
    answer = owner.get(f"{object_of(resource)}?tab=data")
    assert len(answer.content) < 1_000_000
    assert ("more characters are not shown" in text(answer.content)) is bool(sample.huge)


@every
@pytest.mark.sampled(3)
def test_filters_that_are_on_are_chips_and_nothing_found_says_so(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    sample = samples.sample_for(resource)
    stub_engine.rows[sample.path] = []
    if sample.array:
        stub_engine.arrays.add(sample.path)
    page = text(owner.get(f"{page_of(resource)}?{sample.filter}").content)
    assert ("No results for these filters" in page) is bool(sample.filter)
    assert ("Remove this filter" in page) is bool(sample.filter)


@every
@pytest.mark.sampled(3)
def test_filters_that_make_no_sense_are_shown_and_the_engine_is_not_asked(
    owner: Client, stub_engine: StubEngine, resource: Resource
) -> None:
    sample = samples.sample_for(resource)
    sample.fill(stub_engine)
    answer = owner.get(f"{page_of(resource)}?{sample.odd_filter}")
    assert answer.status_code == 200
    assert ("These filters cannot be used" in text(answer.content)) is bool(sample.odd_filter)
    assert bool(stub_engine.seen) is not bool(sample.odd_filter)
