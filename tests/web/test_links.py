"""No page leads its reader to a page that refuses them: each kind of link is followed as each role, on the practice engine's samples."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group

from tests import flows, users
from tests.attacks.looking import steps
from tests.launch_forms.builder_scene import FORM
from tests.launches.launch_scene import Scene
from tests.web.filled_workspace import belongings, just_signed_in
from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.core import heartbeat
from workflows_ui.deleted_objects.models import DeletedObject
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import LaunchRight, Member, Role, TeamOwner
from workflows_ui.members.services import access

#: Who follows the links; the administrator has no role in the workspace, the chief has the one of a manager, too.
READERS = ("guest", *Role, "administrator", "chief")
#: Searched for, so that there are results of every group.
SEARCHED = ("o", "works", "owner", "key", "members", "new")
#: Kinds of addresses that each of them reaches at least.
PAGES = dict(zip(READERS, (100, 150, 150, 300, 350, 350, 600), strict=True))


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    made = Scene(samples=True)
    heartbeat.beat()
    _fill(made)
    yield made
    made.close()


def _fill(scene: Scene) -> None:
    """Things of everybody in one workspace, so that pages have something to link."""
    space, owner = scene.users.workspace, scene.users.owner
    rows = {row["id"]: row["version"]["displayName"] for row in scene.workflows.list_flows(limit=50)["data"]}
    flow, other = list(rows)[:2]
    place, actor = access.access_for(owner, space.slug), audit_log.Actor(owner)
    row = launch_forms.save(actor, place, flow, rows[flow], FORM, lock=None)
    launch_forms.publish(actor, place, flow, lock=row.lock)
    for reader in READERS:
        person = users.person(reader)
        if reader in ("administrator", "chief"):
            User.objects.filter(pk=person.pk).update(is_superuser=True, is_staff=True)
        if reader == "guest":
            LaunchRight.objects.create(workspace=space, flow_id=flow, flow_name=rows[flow], user=person)
        elif reader != "administrator":
            Member.objects.create(workspace=space, user=person, role=Role.MANAGER if reader == "chief" else reader)
        belongings(space, person, flow_id=flow, secret=scene.engine.credentials.bearer_token)
    team = Group.objects.create(name="Sales team")
    TeamOwner.objects.create(team=team, user=owner)
    team.user_set.add(*User.objects.all())
    for key in (
        flows.make(scene.workflows, "Works", flows.code("echo")),
        flows.make(scene.workflows, "Fails", flows.code("fail")),
    ):
        scene.watch(scene.launch(key))
    scene.sign_in(owner).post(f"/w/{space.slug}/flows/do/delete/{other}/", {"confirmed": "yes"})
    assert DeletedObject.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("reader", READERS)
def test_no_link_leads_to_a_page_that_refuses_its_reader(scene: Scene, reader: str) -> None:
    browser = scene.sign_in(User.objects.get(username=reader))
    just_signed_in(browser)
    starts = ["/"] if reader == "administrator" else ["/", *(f"/w/sales/search/?q={text}" for text in SEARCHED)]
    # Pages of those with fewer rights hide more: each of their pages is tried with each kind of link.
    walked = list(steps(browser, starts, from_each=reader in READERS[:3]))
    refused = [
        f"{step.answer.status_code}: {step.url} of {step.origin}" for step in walked if step.answer.status_code >= 400
    ]
    assert refused == []
    assert len({step.kind for step in walked}) >= PAGES[reader]
