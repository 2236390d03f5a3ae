"""What holds for every declared action of every resource: one suite over the list of them, on the practice engine in both flavours."""

from typing import Any

import pytest
from django.test import Client

from tests.resources import samples
from tests.resources.stage import HTMX, TYPED_SECRET, Stage, everything_told, lead, outcomes
from tests.shelf import text
from workflows_ui.kit import checks
from workflows_ui.kit.actions import Action
from workflows_ui.kit.resource import Resource
from workflows_ui.models import Role
from workflows_ui.resources import RESOURCES

ACTIONS = [(resource, action) for resource in RESOURCES for action in resource.actions]
every = pytest.mark.parametrize(
    ("resource", "action"), ACTIONS, ids=[f"{a.name}-{'new' if b.collection else 'of'}-{b.name}" for a, b in ACTIONS]
)
both = pytest.mark.parametrize("headers", [{}, HTMX], ids=["whole", "fragment"])


def name_of(resource: Resource, action: Action) -> str:
    return f"{resource.name}.{action.name}"


def typed(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if isinstance(value, str)}


@every
def test_who_has_not_the_role_is_refused_and_the_engine_is_not_told(
    stage: Stage, resource: Resource, action: Action
) -> None:
    url = stage.url(resource, action)
    needed = max(action.role, resource.role, key=lambda role: role.rank)
    for role in Role:
        browser = stage.as_role(role)
        assert browser.get(url).status_code == (200 if role.includes(needed) else 403)
        if not role.includes(needed):
            assert browser.post(url).status_code == 403
    stranger = Client()
    stranger.force_login(stage.cast.stranger)
    assert stranger.get(url).status_code == stranger.post(url).status_code == 404
    assert Client().get(url).status_code == 303
    assert Client().post(url).status_code == 403
    assert not stage.writes()
    assert not outcomes()


@every
@both
def test_it_is_asked_about_without_being_done(
    stage: Stage, resource: Resource, action: Action, headers: dict[str, str]
) -> None:
    answer = stage.browser.get(stage.url(resource, action), headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.lstrip().startswith('<div id="action"' if headers else "<!doctype html>")
    assert 'method="post"' in page
    assert stage.secret not in page
    assert not stage.writes()
    assert not outcomes()


@every
@both
def test_it_is_done_once_and_written_down_as_begun_and_done(
    stage: Stage, resource: Resource, action: Action, headers: dict[str, str]
) -> None:
    url = stage.url(resource, action)
    fields = stage.fields(resource, action, url)
    answer = stage.browser.post(url, fields, headers=headers)
    assert answer.status_code == (200 if headers else 303), text(answer.content)[-3000:]
    assert lead(answer).startswith("/w/sales/")
    name = name_of(resource, action)
    assert outcomes() == [(name, "begun"), (name, "done")]
    assert stage.secret not in everything_told()
    assert TYPED_SECRET not in everything_told()
    # What follows can be looked at: the object, unless it is gone, or the list.
    assert stage.browser.get(lead(answer)).status_code in (200, 404 if action.removes else 200)


@every
def test_a_double_click_is_one_deed(stage: Stage, resource: Resource, action: Action) -> None:
    url = stage.url(resource, action)
    fields = stage.fields(resource, action, url)
    first = {name: value for name, value in fields.items() if not hasattr(value, "read")}
    stage.browser.post(url, fields)
    done = stage.writes()
    assert done
    again = stage.browser.post(url, first)
    # The second one is told apart, or finds that the object is in no state for it, is gone, or that its file is missing.
    assert again.status_code in (303, 404, 409, 422)
    assert stage.writes() == done


@every
@both
def test_what_the_engine_refuses_is_told_at_the_form_with_everything_typed(
    stage: Stage, resource: Resource, action: Action, headers: dict[str, str]
) -> None:
    url = stage.url(resource, action)
    fields = stage.fields(resource, action, url)
    for method in ("POST", "DELETE"):
        stage.practice.engine.faults.add("status", method, "*", status=403, body="json")
    answer = stage.browser.post(url, fields, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.lstrip().startswith('<div id="action"' if headers else "<!doctype html>")
    assert "alert-danger" in page
    for name, value in typed(fields).items():
        if value != TYPED_SECRET and name != "action-ticket":
            assert answer.context["form"][name].value() == value
    assert TYPED_SECRET not in page
    assert stage.secret not in page
    name = name_of(resource, action)
    assert outcomes() == [(name, "begun"), (name, "refused")]
    assert TYPED_SECRET not in everything_told()


@every
def test_a_deed_whose_answer_is_lost_is_called_unclear_and_not_done_again(
    stage: Stage, resource: Resource, action: Action
) -> None:
    url = stage.url(resource, action)
    fields = stage.fields(resource, action, url)
    for method in ("POST", "DELETE"):
        stage.practice.engine.faults.add("reset_after", method, "*")
    answer = stage.browser.post(url, fields)
    assert answer.status_code == 422
    assert "It is unclear whether this was done" in text(answer.content)
    assert "Look whether it was done" in text(answer.content)
    assert len(stage.writes()) == 1
    name = name_of(resource, action)
    assert outcomes() == [(name, "begun"), (name, "unclear")]


@every
def test_an_engine_that_is_down_is_no_mistake_of_ours(stage: Stage, resource: Resource, action: Action) -> None:
    url = stage.url(resource, action)
    fields = stage.fields(resource, action, url)
    stage.practice.engine.faults.add("status", status=500, headers={"Retry-After": "0"})
    assert stage.browser.get(url).status_code in ((200, 503) if action.collection else (503,))
    assert stage.browser.post(url, fields).status_code in ((422, 503) if action.collection else (503,))


@every
def test_an_object_that_is_not_there_is_not_found(stage: Stage, resource: Resource, action: Action) -> None:
    if action.collection:
        pytest.skip("belongs to no object")
    for key in ("missing", "z" * 21, "..", "a/b"):
        url = f"/w/sales/{resource.name}/do/{action.name}/{key}/"
        assert stage.browser.get(url).status_code in (400, 404)
        assert stage.browser.post(url).status_code in (400, 404)
    assert not stage.writes()


@every
def test_its_button_stands_where_it_is_offered_and_only_for_whom_it_is(
    stage: Stage, resource: Resource, action: Action
) -> None:
    key = stage.key(resource, action)
    url, page = action.url("sales", resource.name, key), resource.url("sales", key)
    assert url in stage.browser.get(page).content.decode()
    if not Role.VIEWER.includes(action.role) and Role.VIEWER.includes(resource.role):
        assert url not in stage.as_role(Role.VIEWER).get(page).content.decode()
    if action.in_rows:
        query = {**samples.of(resource).asked, "rows": "100"}
        listed = stage.browser.get(resource.url("sales", **query)).content.decode()
        assert f"{url}" in listed


def test_declarations_pass_their_checks() -> None:
    assert checks.of(RESOURCES) == []
