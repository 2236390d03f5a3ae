"""Somebody who is about to leave and has one of everything in two workspaces, and the pages on which it is handed over or ended."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.launch_forms.builder_scene import FORM
from tests.launches.launch_scene import NO_FLOW, Scene
from tests.users import credential, person, saved_inputs, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.failures.models import FailurePattern
from workflows_ui.jobs.models import Job, JobKind, JobState
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Member, Role, Workspace
from workflows_ui.members.services import access
from workflows_ui.notifications.models import Watch, WatchKind
from workflows_ui.run_index.models import RunIndex


@pytest.fixture
def leaver(scene: Scene) -> User:
    """A builder of Sales who has one of everything there, and much the same in another workspace, HR."""
    who = scene.member("leaver", Role.BUILDER)
    _furnish(scene.users.workspace, who)
    elsewhere = workspace("hr", project="Q" * 21)
    Member.objects.create(workspace=elsewhere, user=who, role=Role.MANAGER)
    Member.objects.create(workspace=elsewhere, user=person("hr-colleague"), role=Role.LAUNCHER)
    _furnish(elsewhere, who)
    return who


def _furnish(space: Workspace, who: User) -> None:
    name, now = space.slug, timezone.now()
    credential(space, who, "secret", name=f"{name} credential")
    row = launch_forms.save(Actor(who), access.access_for(who, name), NO_FLOW, f"{name} form", FORM, lock=None)
    assert row.draft
    LaunchRight.objects.create(
        workspace=space, flow_id=NO_FLOW, flow_name=f"{name} held", user=who, most_launches=5, used=2
    )
    LaunchRight.objects.create(
        workspace=space, flow_id=NO_FLOW, flow_name=f"{name} given", user=person(f"{name}-guest"), created_by=who
    )
    ColleagueInvitation.objects.create(
        workspace=space,
        email=f"{name}@invited.example",
        role=Role.VIEWER,
        link_digest=f"link {name}",
        mail_digest=f"mail {name}",
        invited_by=who,
        expires_at=now + timedelta(days=7),
    )
    saved_inputs(space, who, NO_FLOW, f"{name} inputs")
    Watch.objects.create(
        user=who, workspace=space, kind=WatchKind.FLOW, object_id=NO_FLOW, name=f"{name} watched", created_at=now
    )
    index = RunIndex.objects.create(workspace=space, started_at=now, due_at=now)
    FailurePattern.objects.create(index=index, fingerprint=space.pk, flow_id=NO_FLOW, step="charge", assigned_to=who)
    Job.objects.create(
        workspace=space,
        user=who,
        kind=JobKind.BULK,
        resource="flows",
        action="disable",
        state=JobState.ASKING,
        asked_at=now,
    )


def text(response: Any) -> str:
    """The answer's HTML without entities."""
    return html.unescape(response.content.decode())


def of_console(who: User) -> str:
    """The page as administrators reach it."""
    return reverse("person_leaving", args=[who.pk])


def of_member(who: User, slug: str = "sales") -> str:
    """The page as managers of a workspace reach it."""
    return reverse("member_leaving", args=[slug, who.pk])


def do(client: Client, url: str, choices: dict[str, str]) -> Any:
    """Makes these choices and confirms them; gives the page that follows."""
    asked = client.post(url, choices)
    assert asked.status_code == 200, text(asked)
    return client.post(url, {"plan": plan_in(asked), "sure": "yes"}, follow=True)


def plan_in(response: Any) -> str:
    """The choices that a confirmation page carries."""
    found = re.search(r'name="plan" value="([^"]*)"', response.content.decode())
    assert found
    return html.unescape(found[1])


def keys(model: Any, kind: str, **conditions: Any) -> str:
    """The name of the field for the one row of this kind that fits."""
    return f"{kind}-{model.objects.get(**conditions).pk}"


def user(who: User) -> str:
    """The choice that hands something to a person."""
    return f"user-{who.pk}"
