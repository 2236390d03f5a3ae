"""Who may use several credentials chooses one for a launch; the worker checks again whether it may still be used."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from tests import flows
from tests.launches.launch_scene import Scene, text_of
from tests.users import credential, give, share, workspace
from workflows_ui.credentials.models import Credential
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import launches, sending
from workflows_ui.members.services import access

pytestmark = pytest.mark.both_databases
ECHO = flows.code("echo", given="{{trigger.body}}")


@pytest.fixture
def team(scene: Scene) -> Credential:
    """A credential that the colleague may use through a team, besides their own."""
    group = Group.objects.create(name="Sales team")
    scene.users.colleague.groups.add(group)
    row = credential(scene.users.workspace, scene.users.owner, scene.engine.credentials.bearer_token, name="Team key")
    share(row, group)
    return row


def _send(scene: Scene, flow: str, chosen: Any, **more: str) -> Any:
    fields = scene.fields(flow) | {"payload": "{}", "_credential": str(chosen)} | more
    return scene.browser.post(scene.url(flow) + "?_as=json", fields)


def test_the_own_credential_is_preselected_and_the_chosen_one_is_used(scene: Scene, team: Credential) -> None:
    flow = flows.make(scene.workflows, "Orders", ECHO)
    page = text_of(scene.browser.get(scene.url(flow)))
    own = Credential.objects.get(owner=scene.users.colleague)
    assert page.index(f'<option value="{own.pk}"') < page.index(f'<option value="{team.pk}"')
    assert _send(scene, flow, team.pk).status_code == 303
    launch = Launch.objects.get()
    assert (launch.credential, launch.credential_chosen, launch.genuine) == (team, True, True)
    sending.send(launch.pk)
    launch.refresh_from_db()
    assert launch.state not in (State.QUEUED, State.NOT_SENT)
    assert launch.credential == team
    again = text_of(scene.browser.get(scene.url(flow), {"from": launch.pk}))
    assert f'<option value="{team.pk}" selected>' in again


def test_with_one_credential_there_is_nothing_to_choose(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Orders", ECHO)
    assert 'name="_credential"' not in text_of(scene.browser.get(scene.url(flow)))
    assert _send(scene, flow, "").status_code == 303
    assert not Launch.objects.get().credential_chosen


def test_only_credentials_that_the_person_may_use_here_can_be_chosen(scene: Scene, team: Credential) -> None:
    flow = flows.make(scene.workflows, "Orders", ECHO)
    elsewhere = credential(workspace("other"), scene.users.colleague, "x")
    for chosen in (scene.users.credential.pk, elsewhere.pk, "nonsense", "0" * 32):
        answer = _send(scene, flow, chosen)
        assert answer.status_code == 422
        assert "The chosen credential cannot be used any more" in text_of(answer)
    assert not Launch.objects.exists()


@pytest.mark.parametrize("happens", ["deleted", "taken back", "given away"])
def test_a_chosen_credential_that_is_gone_when_it_is_sent_sends_nothing(
    scene: Scene, team: Credential, happens: str
) -> None:
    flow = flows.make(scene.workflows, "Orders", ECHO)
    _send(scene, flow, team.pk)
    if happens == "deleted":
        team.delete()
    elif happens == "taken back":
        team.shares.all().delete()
    else:
        own = Credential.objects.get(owner=scene.users.colleague)
        Launch.objects.all().delete()
        _send(scene, flow, own.pk)
        give(own, scene.users.owner)
    sending.send(Launch.objects.get().pk)
    launch = Launch.objects.get()
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.CHOSEN_CREDENTIAL)
    assert launch.sending_at is None


def test_a_choice_that_was_changed_in_the_database_is_not_sent(scene: Scene, team: Credential) -> None:
    flow = flows.make(scene.workflows, "Orders", ECHO)
    _send(scene, flow, Credential.objects.get(owner=scene.users.colleague).pk)
    Launch.objects.update(credential=team)
    sending.send(Launch.objects.get().pk)
    assert Launch.objects.get().reason == Reason.LAUNCH_CHANGED


def test_the_same_form_with_another_credential_is_no_second_launch(scene: Scene, team: Credential) -> None:
    flow = flows.make(scene.workflows, "Orders", ECHO)
    fields = scene.fields(flow) | {"payload": "{}"}
    url = scene.url(flow) + "?_as=json"
    first = scene.browser.post(url, fields | {"_credential": str(team.pk)})
    assert scene.browser.post(url, fields | {"_credential": str(team.pk)})["Location"] == first["Location"]
    own = access.credential(scene.users.colleague, scene.users.workspace)
    assert own
    assert "Already launched" in text_of(scene.browser.post(url, fields | {"_credential": str(own.pk)}))
    assert Launch.objects.count() == 1


def test_launching_again_uses_the_same_choice(scene: Scene, team: Credential) -> None:
    flow = flows.make(scene.workflows, "Orders", ECHO)
    _send(scene, flow, team.pk)
    Launch.objects.update(state=State.FAILED)
    again = reverse("launch_again", args=["sales", Launch.objects.get().pk])
    assert scene.browser.post(again, {"ticket": launches.ticket()}).status_code == 303
    assert list(Launch.objects.values_list("credential", flat=True)) == [team.pk] * 2
