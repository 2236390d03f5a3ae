"""What tests about people use: the scene of the launch pages, with a guest whose only way in is a launch right."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests import flows
from tests.cast import person
from tests.pages.launch_scene import Scene
from workflows_ui.models import Credential, LaunchRight, User


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
        return LaunchRight.objects.create(workspace=self.scene.cast.workspace, **values)


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    """A practice engine without samples, over HTTP, and people around a workspace on it."""
    made = Scene()
    yield made
    made.close()


@pytest.fixture
def guests(scene: Scene) -> Guests:
    """Somebody without a role, in a team with a key."""
    team = Group.objects.create(name="Field")
    gail = person("gail")
    gail.groups.add(team)
    shared = Credential(workspace=scene.cast.workspace, team=team, name="Field's key", kind=scene.cast.credential.kind)
    shared.secret = shared.seal("secret", scene.cast.credential.open("secret"))
    shared.save()
    step = flows.code("echo", given="{{trigger.body}}")
    first, second = flows.make(scene.workflows, "Quick", step), flows.make(scene.workflows, "Hidden", step)
    return Guests(scene, team, gail, scene.sign_in(gail), first, second)
