"""The people who published forms before publishing let anybody follow the flow do so since the migration."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group

from tests.launches.launch_scene import Scene
from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.form_schema.document import Field, Form
from workflows_ui.launch_forms.models import LaunchFormVersion
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches.services import watching
from workflows_ui.members.models import Member, Role
from workflows_ui.notifications.models import Watch, WatchKind

pytestmark = pytest.mark.both_databases


def _form(scene: Scene, flow: str, publisher: User, *, published: bool = True) -> None:
    """A form that was published by a person who may have left since."""
    place = scene.users.place(scene.users.owner)
    row = launch_forms.save(CONSOLE, place, flow, f"Flow {flow}", Form((Field("name", ("name",)),)), lock=None)
    if published:
        launch_forms.publish(CONSOLE, place, flow, lock=row.lock, words="")
        LaunchFormVersion.objects.filter(form=row).update(published_by=publisher)


def _migrate() -> Any:
    import_module("workflows_ui.migrations.0045_follows").follow_flows_of_forms(apps, None)
    return sorted(Watch.objects.values_list("object_id", "user__username", "name"))


def test_publishers_of_forms_follow_their_flows_unless_a_builder_follows_them_already(scene: Scene) -> None:
    builder, launcher = scene.member("builder", Role.BUILDER), scene.users.colleague
    by_team, gone = scene.member("by_team", Role.VIEWER), scene.member("gone", Role.BUILDER)
    team = Group.objects.create(name="Builders")
    team.user_set.add(by_team)
    Member.objects.create(workspace=scene.users.workspace, team=team, role=Role.BUILDER)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    for flow, publisher in (
        ("a", builder),
        ("b", launcher),
        ("c", by_team),
        ("d", gone),
        ("e", builder),
        ("f", builder),
    ):
        _form(scene, flow, publisher)
    _form(scene, "g", builder, published=False)
    for flow, user in (("e", scene.users.owner), ("f", launcher)):
        watching.start_watching(user, scene.users.workspace, WatchKind.FLOW, flow, "x")
    expected = [("a", "builder", "Flow a"), ("c", "by_team", "Flow c"), ("e", "owner", "x")]
    expected += [("f", "builder", "Flow f"), ("f", "colleague", "x")]
    assert _migrate() == expected
    assert _migrate() == expected, "once is enough"
