"""What tests about people use: the scene of the launch pages, with a guest whose only way in is a launch right."""

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests import flows
from tests.launches.launch_scene import Scene
from tests.users import credential, person, share
from workflows_ui.accounts.models import User
from workflows_ui.members.models import LaunchRight


@dataclass
class Guests:
    """The team Field with the team's key, its member Gail, and two flows of which they may launch the first."""

    scene: Scene
    team: Group
    gail: User
    browser: Client
    flow: str
    other: str

    def right(self, **changes: object) -> LaunchRight:
        """A right of the team on the first flow."""
        values = {"flow_id": self.flow, "flow_name": "Quick", "team": self.team} | changes
        return LaunchRight.objects.create(workspace=self.scene.users.workspace, **values)


@pytest.fixture
def keeper(db: None) -> User:
    """An administrator of the console."""
    found = person("keeper")
    User.objects.filter(pk=found.pk).update(is_superuser=True)
    return User.objects.get(pk=found.pk)


@pytest.fixture
def guests(scene: Scene) -> Guests:
    """Somebody without a role, in a team with a key."""
    team = Group.objects.create(name="Field")
    gail = person("gail")
    gail.groups.add(team)
    secret = scene.users.credential.open("secret")
    share(
        credential(
            scene.users.workspace, person("holder"), secret, kind=scene.users.credential.kind, name="Field's key"
        ),
        team,
    )
    step = flows.code("echo", given="{{trigger.body}}")
    first, second = flows.make(scene.workflows, "Quick", step), flows.make(scene.workflows, "Hidden", step)
    return Guests(scene, team, gail, scene.sign_in(gail), first, second)
