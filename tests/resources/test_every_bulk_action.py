"""What holds for every action that may be done to many, of every resource: one suite over the list of them.

Each is done in both flavours, quickly in one of them; what is asked for and offered is the same in both.
"""

import copy
from typing import Any

import pytest

from tests.resources import samples
from tests.stage import TYPED_SECRET, Stage, _filled, everything_told, lead, stage as stage, turns
from workflows_ui.core.text import in_each_language
from workflows_ui.jobs.models import ItemState, Job, JobState
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import action_forms
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resource_admin.resource import Query, Resource
from workflows_ui.resources import BY_NAME, RESOURCES

ACTIONS = [(resource, action) for resource in RESOURCES for action in resource.actions if action.bulk]
every = pytest.mark.parametrize(("resource", "action"), ACTIONS, ids=[f"{a.name}-{b.name}" for a, b in ACTIONS])

in_both_flavours = pytest.mark.parametrize(
    ("resource", "action", "stage"),
    [
        pytest.param(a, b, flavour, id=f"{a.name}-{b.name}-{flavour}", marks=marks)
        for number, (a, b) in enumerate(ACTIONS)
        for flavour, marks in turns(a, b, number)
    ],
    indirect=["stage"],
)
plain = pytest.mark.parametrize("stage", ["activepieces"], indirect=True)


def ids(stage: Stage, resource: Resource, action: Action) -> list[str]:
    """Two objects that the action is offered for, since one alone leads to its own page. The only one of its kind is copied."""
    stage.suit(resource, action)
    listed = resource.list(stage.session, Query(samples.sample_for(resource).asked, 100)).rows
    found = [resource.key(row) for row in listed if resource.key(row) and action.visible(row)]
    assert found, f"No object of the sample company is offered {resource.name}.{action.name}."
    if len(found) == 1:
        state = stage.practice.engine.state
        with state.lock:
            row = copy.deepcopy(getattr(state, resource.name)[found[0]])
            del row["id"]
            found.append(state.add_row(resource.name, **row)["id"])
    return found[:2]


def asked(stage: Stage, resource: Resource, action: Action, **more: Any) -> Job:
    answer = stage.browser.post(action.bulk_url("sales", resource.name), {"next": resource.url("sales"), **more})
    assert answer.status_code == 303
    return Job.objects.get()


def worked(job: Job) -> Job:
    while worker.turn(job.pk, BY_NAME):
        pass
    job.refresh_from_db()
    return job


@plain
@every
@pytest.mark.sampled(3)
def test_without_ids_the_engine_is_not_called(stage: Stage, resource: Resource, action: Action) -> None:
    answer = stage.browser.post(
        action.bulk_url("sales", resource.name), {"next": resource.url("sales"), "id": ["", ".."]}
    )
    assert lead(answer) == resource.url("sales")
    assert not Job.objects.exists()
    assert action.bulk is not None
    if action.bulk.together is not None:
        with pytest.raises(ValueError, match="at least one id"):
            action.bulk.together(stage.session, [], {})
    assert not stage.writes()


@plain
@pytest.mark.parametrize(
    ("resource", "action"),
    [pytest.param(a, b, id=f"{a.name}-{b.name}", marks=pytest.mark.slow) for a, b in ACTIONS if b.impact],
)
def test_a_job_keeps_in_each_language_how_an_object_is_affected(
    stage: Stage, resource: Resource, action: Action
) -> None:
    assert action.impact
    found = action.impact(stage.session, resource.get(stage.session, ids(stage, resource, action)[0]))
    if found is not None:
        stored = in_each_language(found.summary)
        assert stored["vi"] != stored["en"], "texts of an impact are lazy"
        job = worked(asked(stage, resource, action, id=ids(stage, resource, action)))
        assert {code for _name, sentence, _names, _choice in job.affected for code in sentence} == {"en", "vi"}


@in_both_flavours
@pytest.mark.sampled(2)
def test_it_is_done_to_what_was_named_and_to_nothing_else(stage: Stage, resource: Resource, action: Action) -> None:
    named = ids(stage, resource, action)
    job = worked(asked(stage, resource, action, id=named))
    assert job.state == JobState.ASKING
    page = stage.browser.get(f"/w/sales/jobs/{job.pk}/")
    assert page.status_code == 200
    assert stage.secret not in page.content.decode()
    form = page.context["form"]
    assert not action_forms.secret_fields(form)
    assert not form.is_multipart()
    given = samples.sample_for(resource).typed.get(action.name, {})
    typed = {name: given.get(name, _filled(form, name, field)) for name, field in form.fields.items()}
    answer = stage.browser.post(f"/w/sales/jobs/{job.pk}/begin/", {k: v for k, v in typed.items() if v is not None})
    assert answer.status_code == 303
    job = worked(job)
    assert job.state == JobState.ENDED
    assert set(job.items.values_list("state", flat=True)) == {ItemState.DONE}
    for sent in stage.practice.journal.all():
        if sent.method != "GET" and not sent.path.endswith("/options"):
            whole = sent.path + sent.body.decode()
            assert any(key in whole for key in named), whole
    assert stage.secret not in everything_told()
    assert TYPED_SECRET not in everything_told()
    assert stage.browser.get(f"/w/sales/jobs/{job.pk}/").status_code == 200


@plain
@pytest.mark.parametrize(
    ("resource", "action"),
    [
        pytest.param(a, b, id=f"{a.name}-{b.name}", marks=() if first else pytest.mark.slow)
        for number, (a, b) in enumerate(ACTIONS)
        for first in [a not in [other for other, _action in ACTIONS[:number]]]
    ],
)
@pytest.mark.sampled(3)
def test_everything_is_frozen_as_ids_before_it_is_asked_about(stage: Stage, resource: Resource, action: Action) -> None:
    job = worked(asked(stage, resource, action, everything="1"))
    called = job.items.values_list("name", flat=True)
    assert len(set(called)) == len(called), "names that tell the objects apart"
    listed = resource.list(stage.session, Query({}, 100))
    assert set(job.items.values_list("object_id", flat=True)) >= {resource.key(row) for row in listed.rows} - {""}
    assert not stage.writes()


@plain
@pytest.mark.parametrize(
    "resource", {one.name: one for one, _action in ACTIONS}.values(), ids=lambda one: str(one.name)
)
@pytest.mark.sampled(3)
def test_their_buttons_stand_above_the_list_for_whom_they_are_only(stage: Stage, resource: Resource) -> None:
    for action in resource.actions:
        if action.bulk:
            stage.suit(resource, action)
    for role in Role:
        browser = stage.as_role(role)
        page = browser.get(
            resource.url("sales"), {"rows": "100"} | dict(samples.sample_for(resource).asked)
        ).content.decode()
        for action in resource.actions:
            if action.bulk:
                url = action.bulk_url("sales", resource.name)
                may = role.includes(max(action.role, resource.role, key=lambda one: one.rank))
                assert (f'formaction="{url}"' in page) == may, (role, action.name)
                answer = browser.post(url, {"id": "x" * 21, "next": resource.url("sales")})
                assert answer.status_code == (303 if may else 403), (role, action.name)
    assert not stage.writes()
