"""What holds for every declared action of every resource: one suite over the list of them, on the practice engine.

Each is done in both flavours, on a page of its own in one and in its place on another page in the other; quickly, each in one of them.
How it is asked about, and how faults of the engine are shown, is the same for all (tests/web/test_faults.py has each fault); quickly, one
action of each resource is tried. Whom actions are for is in tests/web/test_matrix.py.
"""

import html
import re
from typing import Any

import pytest

from tests.resources import samples
from tests.stage import HTMX, TYPED_SECRET, Stage, everything_told, lead, outcomes, turns
from tests.stub_engine import text
from workflows_ui.flow_editing.testing.actions import DRAFT_TEST
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import checks as resource_checks
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.resources import RESOURCES
from workflows_ui.resources.connections.actions import REPLACE
from workflows_ui.resources.connections.testing import TEST
from workflows_ui.unclear_writes.models import UnclearWrite

ACTIONS = [(resource, action) for resource in RESOURCES for action in resource.actions]
#: Without what only creates a job, which asks before it calls the engine (test_connection_replacement.py), and what only reads.
CALLING = [(resource, action) for resource, action in ACTIONS if action not in (REPLACE, TEST)]


def name_of(resource: Resource, action: Action) -> str:
    return f"{resource.name}.{action.name}"


plain = pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
#: What is filled in is what the engine has already, so that the first look finds it.
UNCHANGED = {
    "mcp-servers.switch-tools",
    *(f"{kind}.rename" for kind in ("tables", "folders", "mcp-servers", "connections")),
}
WHOLE_AND_FRAGMENT: tuple[dict[str, str], ...] = ({}, HTMX)


def first_of_each(actions: list[tuple[Resource, Action]]) -> pytest.MarkDecorator:
    """The first action of each resource; the others are slow."""
    marked = [
        pytest.param(a, b, id=name_of(a, b), marks=() if b is a.actions[0] else pytest.mark.slow) for a, b in actions
    ]
    return pytest.mark.parametrize(("resource", "action"), marked)


#: Each action as a whole page on an Activepieces and as a fragment on the gateway, in turns; the other way round is slow.
in_both_flavours = pytest.mark.parametrize(
    ("resource", "action", "stage", "headers"),
    [
        pytest.param(
            a, b, flavour, {} if flavour == "activepieces" else HTMX, id=f"{name_of(a, b)}-{flavour}", marks=marks
        )
        for number, (a, b) in enumerate(CALLING)
        for flavour, marks in turns(a, b, number)
    ],
    indirect=["stage"],
)


def typed(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if isinstance(value, str)}


@plain
@first_of_each(ACTIONS)
@pytest.mark.sampled(3)
def test_it_is_offered_and_asked_about_and_nothing_is_done_yet(
    stage: Stage, resource: Resource, action: Action
) -> None:
    url = stage.url(resource, action)
    for headers in WHOLE_AND_FRAGMENT:
        answer = stage.browser.get(url, headers=headers)
        page = answer.content.decode()
        assert answer.status_code == 200
        alone = "<title>" if action.in_panel else '<div id="action"'
        assert page.lstrip().startswith(alone if headers else "<!doctype html>")
        assert 'method="post"' in page
        assert stage.secret not in page
    if not action.collection:
        for key in ("missing", "z" * 21, "..", "a/b"):
            gone = f"/w/sales/{resource.name}/do/{action.name}/{key}/"
            assert stage.browser.get(gone).status_code in (400, 404)
            assert stage.browser.post(gone).status_code in (400, 404)
    _its_button_stands_where_it_is_offered(stage, resource, action)
    assert not stage.writes()
    assert not outcomes()


def _its_button_stands_where_it_is_offered(stage: Stage, resource: Resource, action: Action) -> None:
    key = stage.key(resource, action)
    url, page = action.url("sales", resource.name, key), resource.url("sales", key)
    places = [page]
    if action.tab:
        tab = f"{page}?tab={action.tab}"
        places = [tab, *_links(stage, tab, rf"{page}(?:steps|choose)/[^\"]*")]
        # The app of a step is chosen first, then what it does.
        places += [
            place
            for choice in places
            if "/choose/" in choice
            for place in _links(stage, choice, r"[^\"]+piece=[^\"]+")[:1]
        ]
    assert any(url in html.unescape(stage.browser.get(place).content.decode()) for place in places)
    if not Role.VIEWER.includes(action.role) and Role.VIEWER.includes(resource.role):
        assert url not in stage.as_role(Role.VIEWER).get(page).content.decode()
    if action.in_rows:
        query = {**samples.sample_for(resource).asked, "rows": "100"}
        listed = stage.browser.get(resource.url("sales", **query)).content.decode()
        assert f"{url}" in listed


def _links(stage: Stage, page: str, address: str) -> list[str]:
    return [
        html.unescape(found) for found in re.findall(f'href="({address})"', stage.browser.get(page).content.decode())
    ]


@in_both_flavours
@pytest.mark.sampled(5)
def test_it_is_done_once_and_written_down_as_begun_and_done_and_a_double_click_is_one_deed(
    stage: Stage, resource: Resource, action: Action, headers: dict[str, str]
) -> None:
    url = stage.url(resource, action)
    fields = stage.fields(resource, action, url)
    without_files = {name: value for name, value in fields.items() if not hasattr(value, "read")}
    answer = stage.browser.post(url, fields, headers=headers)
    assert answer.status_code == (200 if headers else 303), text(answer.content)[-3000:]
    assert lead(answer).startswith("/w/sales/")
    name = name_of(resource, action)
    assert outcomes() == [(name, "begun"), (name, "done")]
    assert stage.secret not in everything_told()
    assert TYPED_SECRET not in everything_told()
    # What follows can be looked at: the object, unless it is gone, or the list.
    assert stage.browser.get(lead(answer)).status_code in (200, 404 if action.removes else 200)
    done = stage.writes()
    assert done
    # The second one is recognised, or finds that the object is in no state for it, is gone, or that its file is missing.
    assert stage.browser.post(url, without_files).status_code in (303, 404, 409, 422)
    assert stage.writes() == done


@plain
@first_of_each(CALLING)
@pytest.mark.sampled(3)
def test_an_engine_that_is_down_refuses_or_is_lost_is_shown_at_the_form_with_everything_typed(
    stage: Stage, resource: Resource, action: Action
) -> None:
    url = stage.url(resource, action)
    name = name_of(resource, action)
    faults = stage.practice.engine.faults
    _is_down(stage, action, url, stage.fields(resource, action, url))
    faults.clear()
    # A trigger's refusal proves nothing (tests/flow_editing/test_draft_tests.py).
    if name in UNCHANGED:
        return
    for headers in () if action is DRAFT_TEST else WHOLE_AND_FRAGMENT:
        before = len(outcomes())
        _is_refused(stage, url, stage.fields(resource, action, url), headers)
        assert outcomes()[before:] == [(name, "begun"), (name, "unclear")]
        faults.clear()
        # tests/unclear_writes has what follows.
        UnclearWrite.objects.all().delete()
        if name == "flows.edit-undo":  # While it is checked, it is the last edit, and undoing it would change nothing.
            return
    assert TYPED_SECRET not in everything_told()
    before, written = len(outcomes()), len(stage.writes())
    fields = stage.fields(resource, action, url)
    for method in ("POST", "DELETE"):
        faults.add("reset_before", method, "*")
    answer = stage.browser.post(url, fields)
    assert answer.status_code == 422
    assert "It is unclear whether this happened" in text(answer.content)
    assert "Checking whether it was done" in text(answer.content)
    assert len(stage.writes()) == written + 1
    assert outcomes()[before:] == [(name, "begun"), (name, "unclear")]


def _is_down(stage: Stage, action: Action, url: str, fields: dict[str, Any]) -> None:
    stage.practice.engine.faults.add("status", status=500, headers={"Retry-After": "0"})
    assert stage.browser.get(url).status_code in ((200, 503) if action.collection else (503,))
    assert stage.browser.post(url, fields).status_code in ((422, 503) if action.collection else (503,))


def _is_refused(stage: Stage, url: str, fields: dict[str, Any], headers: dict[str, str]) -> None:
    for method in ("POST", "DELETE"):
        stage.practice.engine.faults.add("status", method, "*", status=403, body="json")
    answer = stage.browser.post(url, fields, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.lstrip().startswith('<div id="action"' if headers else "<!doctype html>")
    assert "Checking whether it was done" in page
    for name, value in typed(fields).items():
        if value != TYPED_SECRET and name != "action-ticket":
            assert answer.context["form"][name].value() == (True if value == "on" else value)
    assert TYPED_SECRET not in page
    assert stage.secret not in page


def test_declarations_pass_their_checks() -> None:
    assert resource_checks.check_resources(RESOURCES) == []
