"""Two workspaces with one of everything in each, and everybody who could stand before their doors: for the permission matrix."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.test import Client
from django.utils import timezone

from tests import users
from tests.accounts import sign_in
from tests.launch_forms.builder_scene import FORM
from tests.resources import samples
from tests.resources.samples import mcp_servers
from tests.stub_engine import SECRET, StubEngine, flow, identity, run
from workflows_ui.accounts.models import User
from workflows_ui.alarms.models import Alarm, AlarmChannel, AlarmKind, AlarmMute
from workflows_ui.audit.services import audit_log
from workflows_ui.core import heartbeat
from workflows_ui.credentials.models import CredentialSecret
from workflows_ui.deleted_objects.models import CopyState, DeletedObject
from workflows_ui.failure_rules.models import FailureRule, RuleKind
from workflows_ui.failures.models import FailurePattern
from workflows_ui.flow_editing.models import FlowEdit
from workflows_ui.jobs.models import Job, JobItem, JobKind, JobPart, JobState
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches.models import Launch, State
from workflows_ui.members.models import (
    AccessRequest,
    ColleagueInvitation,
    LaunchRight,
    Member,
    Role,
    TeamOwner,
    Workspace,
)
from workflows_ui.members.services import access
from workflows_ui.notes.models import Note
from workflows_ui.notifications.models import Mute, Notice, NoticeKind, Topic, Watch, WatchKind
from workflows_ui.resources import RESOURCES
from workflows_ui.run_index.models import RunIndex
from workflows_ui.saved_views.models import SavedView
from workflows_ui.unclear_writes.models import UnclearWrite

FLOW = identity(1)
#: The columns of the matrix: people outside the workspace, then its members by their rights.
OUTSIDERS = ("signed out", "deactivated", "stranger", "elsewhere's manager", "superuser")
MEMBERS = tuple(str(role.value) for role in Role)
EVERYBODY = (*OUTSIDERS, "guest", *MEMBERS)


@dataclass
class Place:
    """A workspace, and what the addresses of its things hold; `own` are those of one person, by their user name."""

    workspace: Workspace
    owner: User
    values: dict[str, Any]
    own: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Furnished:
    """`sales`, which everybody tries to get into, and `elsewhere`, which has the same things; `browsers` by the matrix's columns."""

    stub_engine: StubEngine
    sales: Place
    elsewhere: Place
    browsers: dict[str, Client]


@contextmanager
def once(django_db_blocker: Any) -> Iterator[StubEngine]:
    """For a module: an engine, and a database in which all that is made meanwhile is taken back at the end. Nothing is logged."""
    logging.disable(logging.CRITICAL)
    stub_engine = StubEngine()
    with django_db_blocker.unblock(), stub_engine, transaction.atomic():
        heartbeat.beat()
        yield stub_engine
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)


def furnish(stub_engine: StubEngine) -> Furnished:
    """All of it, in a database where nothing is. The engine is the stub engine, with one object of every kind."""
    _fill(stub_engine)
    sales, elsewhere = _place("sales", stub_engine), _place("elsewhere", stub_engine)
    browsers = {"signed out": Client()}
    for who in EVERYBODY[1:]:
        person = elsewhere.owner if who == "elsewhere's manager" else users.person(who)
        if who in MEMBERS or who == "deactivated":
            Member.objects.create(
                workspace=sales.workspace, user=person, role=Role.MANAGER if who == "deactivated" else who
            )
        if who == "guest":
            LaunchRight.objects.create(workspace=sales.workspace, flow_id=FLOW, flow_name="Order intake", user=person)
        if who != "elsewhere's manager":
            sales.own[who] = belongings(sales.workspace, person)
        if who == "superuser":
            person.is_superuser = True
            person.save()
        browsers[who] = Client(raise_request_exception=False)
        browsers[who].force_login(person)
        just_signed_in(browsers[who])
    User.objects.filter(username="deactivated").update(is_active=False)
    return Furnished(stub_engine, sales, elsewhere, browsers)


def just_signed_in(browser: Client) -> None:
    """As after typing the password: pages of one's own account ask for it again otherwise."""
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()


def _fill(stub_engine: StubEngine) -> None:
    for resource in RESOURCES:
        samples.sample_for(resource).fill(stub_engine)
    stub_engine.flows, stub_engine.runs = [flow()], [run()]
    stub_engine.rows["/mcp-servers"] = [mcp_servers.server()]


def _place(name: str, stub_engine: StubEngine) -> Place:
    space = users.workspace(name, address=f"{stub_engine.url}/api", project=("P" if name == "sales" else "E") * 21)
    owner = users.person(f"owner of {name}")
    Member.objects.create(workspace=space, user=owner, role=Role.MANAGER)
    team = Group.objects.create(name=f"Team of {name}")
    TeamOwner.objects.create(team=team, user=owner)
    waits = users.person(f"somebody who waits for {name}")
    waits.groups.add(team)
    spare = Member.objects.create(workspace=space, user=users.person(f"spare of {name}"), role=Role.VIEWER)
    actor, place = audit_log.Actor(owner), access.access_for(owner, name)
    for _version in range(2):
        row = launch_forms.find_form(space, FLOW)
        row = launch_forms.save(actor, place, FLOW, "Order intake", FORM, lock=row.lock if row else None)
        launch_forms.publish(actor, place, FLOW, lock=row.lock)
    invitation = ColleagueInvitation.objects.create(
        workspace=space,
        email=f"new@{name}.example",
        role=Role.VIEWER,
        link_digest=f"link {name}",
        mail_digest=f"mail {name}",
        invited_by=owner,
        expires_at=timezone.now() + timedelta(days=7),
    )
    right = LaunchRight.objects.create(workspace=space, flow_id=FLOW, flow_name="Order intake", user=waits)
    deleted = DeletedObject(
        workspace=space,
        kind="flows",
        object_id=FLOW,
        name="Gone",
        state=CopyState.RESTORED,
        deleted_by=owner,
        deleted_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=30),
    )
    deleted.save()
    edit = FlowEdit(
        workspace=space,
        flow_id=FLOW,
        operation="CHANGE_NAME",
        edited_by=owner,
        edited_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=30),
    )
    edit.save()
    write = UnclearWrite.objects.create(
        workspace=space, user=owner, resource="flows", action="delete", object_id=FLOW, asked_at=timezone.now()
    )
    index = RunIndex.objects.create(workspace=space, started_by=owner, started_at=timezone.now(), due_at=timezone.now())
    FailurePattern.objects.create(index=index, fingerprint=space.pk, flow_id=FLOW)
    alarm = Alarm.objects.create(
        index=index, kind=AlarmKind.QUIET, flow_id=FLOW, opened_at=timezone.now(), updated_at=timezone.now()
    )
    mute = AlarmMute.objects.create(index=index, kind=AlarmKind.QUIET, flow_id=FLOW, muted_at=timezone.now())
    now = timezone.now()
    rule = FailureRule.objects.create(workspace=space, kind=RuleKind.TURN_OFF, owner=owner, created_at=now, since=now)
    values = {
        "slug": name,
        "rule_id": rule.pk,
        "does": "turn_off",
        "alarm_id": alarm.pk,
        "mute_id": mute.pk,
        "mute": Mute.objects.create(workspace=space, topic=Topic.FLOWS, muted_by=owner, muted_at=timezone.now()).pk,
        "channel_id": AlarmChannel.objects.create(
            workspace=space, name="Team", shape="slack", created_at=timezone.now()
        ).pk,
        "copy_id": deleted.pk,
        "member_id": spare.pk,
        "team_id": team.pk,
        "person_id": waits.pk,
        "request_id": AccessRequest.objects.create(workspace=space, user=waits).pk,
        "right_id": right.pk,
        "invitation_id": invitation.pk,
        "row": audit_log.record(actor, "flow.look", workspace=space).pk,
        "id": FLOW,
        "table": identity(1),
        "kind": "csv",
        "number": 1,
        "position": "0",
        "step": "trigger",
        "edit": edit.pk,
        "write_id": write.pk,
        "fingerprint": space.pk,
        "field": "amount",
        "action": "delete",
        "resource": "flows",
        "subject": "flows",
        "piece": "@activepieces/piece-gmail",
        "name": "nothing-of-this-name",
        "token": "nothing-of-this-name",
    }
    return Place(space, owner, values, {"": belongings(space, owner)})


def belongings(space: Workspace, person: User, *, flow_id: str = FLOW, secret: str = SECRET) -> dict[str, Any]:
    """One of everything that belongs to a person, for the addresses of such things: by the address's name or by the value's."""
    now = timezone.now()
    credential = users.credential(space, person, secret)
    aside = CredentialSecret(
        credential=credential, kind=credential.kind, replaced_at=now, keep_until=now + timedelta(days=3)
    )
    aside.secret = aside.seal("secret", secret)
    aside.save()
    launch = Launch(
        workspace=space,
        user=person,
        credential=credential,
        ticket=f"ticket of {person.username} in {space.slug}",
        flow_id=flow_id,
        flow_name="Order intake",
        state=State.SUCCEEDED,
        payload_digest="0" * 64,
        asked_at=now,
        not_before=now,
        send_by=now,
        ended_at=now,
        answer_status=200,
        answer_type="application/json",
        answer_from="answer",
    )
    launch.payload = launch.seal("payload", '{"a":1}')
    launch.answer = launch.seal("answer", '{"file": "data:text/csv;base64,YSxiCjEsMgo="}')
    launch.save(force_insert=True)
    bulk = Job.objects.create(
        workspace=space,
        user=person,
        kind=JobKind.BULK,
        resource="flows",
        action="disable",
        state=JobState.ENDED,
        asked_at=now,
    )
    JobItem.objects.create(job=bulk, position=0, object_id=flow_id, state="failed")
    export = Job.objects.create(
        workspace=space,
        user=person,
        kind=JobKind.EXPORT,
        resource="flows",
        format="csv",
        state=JobState.ENDED,
        asked_at=now,
        ended_at=now,
        bytes=3,
        rows=1,
        keep_until=now + timedelta(days=1),
    )
    JobPart.objects.create(job=export, number=0, data=b"a,b")
    note = Note(workspace=space, subject="flows", object_id=flow_id, author=person, created_at=now)
    note.text = note.seal("text", "A note")
    note.save()
    inputs = users.saved_inputs(space, person, flow_id, "Mine")
    notice = Notice.objects.create(
        user=person, workspace=space, kind=NoticeKind.LAUNCH_ENDED, key=f"{space.slug} 1", url="/", created_at=now
    )
    sign_in.with_app(person)
    RecoveryCodes.activate(person)
    store = SessionStore()
    store.create()
    session = UserSession.objects.create(
        user=person, session_key=store.session_key, ip="127.0.0.1", user_agent="Another"
    )
    passkey = Authenticator.objects.create(user=person, type="webauthn", data={"name": "Key", "credential": {}})
    asked = AccessRequest.objects.create(user=person, workspace=space)
    return {
        "credential_id": credential.pk,
        "launch": launch.pk,
        "job": bulk.pk,
        "export": export.pk,
        "inputs": inputs.pk,
        "note": note.pk,
        "view_id": SavedView.objects.create(workspace=space, owner=person, list_path="flows", name="Mine").pk,
        "own_view": SavedView.objects.create(owner=person, list_path="notices", name="Mine").pk,
        "notice": notice.pk,
        "own_mute": Mute.objects.create(user=person, workspace=space, topic=Topic.ALARMS, muted_at=now).pk,
        "watch": Watch.objects.create(
            user=person, workspace=space, kind=WatchKind.FLOW, object_id=flow_id, created_at=now
        ).pk,
        "session_id": session.pk,
        "passkey": passkey.pk,
        "access_withdraw": asked.pk,
    }
