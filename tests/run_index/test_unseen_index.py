"""Two managers, of whom one may use the credential that reads the run index: the other one gets nothing of it, on any page."""

import json
import re
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from tests.run_index.index_scene import read_all, start, turn
from tests.run_index.test_engine_down import DOWN
from tests.run_index.test_objects import read
from tests.run_index.test_uses import Used
from tests.stage import Stage, stage
from tests.users import credential, person
from workflows_ui.accounts.models import User
from workflows_ui.alarms import services as alarms
from workflows_ui.alarms.models import AlarmChannel, AlarmKind, AlarmMute
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.caching import answers
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.failures import services as failures
from workflows_ui.launches.services import watching
from workflows_ui.members.models import Member, Role
from workflows_ui.members.services import access
from workflows_ui.notes.models import Note, Subject
from workflows_ui.notifications.models import Notice, NoticeKind, WatchKind
from workflows_ui.run_index.models import IndexedObject, IndexedRun, Kept, ObjectUse, RunIndex

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
#: A name that only the index has, a note on a failure, and a channel of the alarms.
ONLY, NOTE, CHANNEL = "Zanzibar of the index 7741", "Ask billing for another limit", "Channel of the alarms"
KINDS = ("flows", "connections", "tables", "folders", "mcp-servers")


@dataclass
class Two:
    """The reader, who may use both credentials, and the other one, who may use that which is not the index's; both act with the latter."""

    stage: Stage
    used: Used
    reader: Client
    other: Client


@pytest.fixture
def two(stage: Stage) -> Two:
    users = stage.users
    reader = person("reader")
    Member.objects.create(workspace=users.workspace, user=reader, role=Role.MANAGER)
    Member.objects.filter(user=users.colleague).update(role=Role.MANAGER)
    Credential.objects.filter(owner=users.colleague).delete()
    common = credential(users.workspace, users.owner, stage.secret, name="For everybody")
    everybody, few = Group.objects.create(name="Everybody"), Group.objects.create(name="Reporting")
    for team, shared, people in (
        (everybody, common, (reader, users.colleague)),
        (few, users.credential, (reader,)),
    ):
        team.user_set.add(*people)
        sharing.write(shared, team, users.owner)
    for user in (reader, users.colleague):
        acting = access.acting(user, users.workspace)
        assert acting
        assert acting.credential == common
    return Two(stage, Used(stage), _browser(reader), _browser(users.colleague))


def _browser(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def index(two: Two) -> dict[str, str]:
    """An index whose runs and objects have names of their own, with an alarm, a noted failure and a run that the engine has no longer.

    Return the ids that the addresses of its pages hold.
    """
    stage, users = two.stage, two.stage.users
    start(stage, kept=Kept.VALUES)
    read(stage)
    read_all(stage)
    gone = IndexedRun.objects.filter(status="SUCCEEDED", archived=None).order_by("-created")[0].run_id
    del stage.practice.engine.state.runs[gone]
    IndexedRun.objects.filter(run_id=gone).update(gone_at=timezone.now())
    IndexedRun.objects.update(flow_name=ONLY, failed_step_title=ONLY)
    for item in IndexedObject.objects.exclude(name=""):
        item.data = json.loads(json.dumps(item.data).replace(json.dumps(item.name), json.dumps(ONLY)))
        item.name, item.plain_name = ONLY, ONLY.lower()
        item.save()
    ObjectUse.objects.update(title=ONLY)
    for user in (User.objects.get(username="reader"), users.colleague):
        watching.start_watching(user, users.workspace, WatchKind.ALARMS, "", "Sales")
    row = RunIndex.objects.get()
    alarm = alarms.begin(row, (AlarmKind.QUIET, two.used.outer), ONLY, {})
    assert alarm
    AlarmMute.objects.create(
        index=row, kind=AlarmKind.LONGER, flow_id=two.used.inner, flow_name=ONLY, muted_at=timezone.now()
    )
    channel = AlarmChannel(workspace=users.workspace, name=CHANNEL, shape="slack", created_at=timezone.now())
    channel.save()
    failed = IndexedRun.objects.exclude(fingerprint=0).filter(archived=None).order_by("-created")[0]
    pattern = failures.find_pattern(row, failed.fingerprint)
    assert pattern
    failures.save_note(Actor(users.owner), row, pattern, NOTE)
    note = Note(workspace=users.workspace, subject=Subject.FAILURE, object_id=pattern.key, author=users.owner)
    note.created_at = timezone.now()
    note.text = note.seal("text", NOTE)
    note.save()
    return {
        "gone": gone,
        "failed": failed.run_id,
        "failure": pattern.key,
        "alarm": str(alarm.pk),
        "channel": str(channel.pk),
        "flow": two.used.outer,
        "ran": failed.flow_id,
        "connection": two.used.connection.rstrip("/").rpartition("/")[2],
    }


def pages(two: Two, ids: dict[str, str]) -> tuple[str, ...]:
    """Addresses that show something of the index to those who may see it."""
    fixed = (
        "runs/",
        "runs/?sort=-length",
        "runs/?search={gone}",
        "runs/{gone}/",
        "runs/{failed}/",
        "used-by/connections/{connection}/",
        "search/?q=zanzibar",
        "search/?q={gone}",
        "failures/",
        "failures/{failure}/",
        "failures/file/csv/",
        "alarms/",
        "alarms/{alarm}/",
        "alarms/muted/",
        "alarms/file/csv/",
        "alarms/channels/",
        "alarms/channels/{channel}/",
        "notes/failure/{failure}/",
        "report/",
        "report/file/csv/",
    )
    return (
        *(f"/w/sales/{page.format(**ids)}" for page in fixed),
        *two.used.pages,
        *two.used.deletions,
        f"/w/sales/flows/{ids['flow']}/",
    )


#: Those that show numbers of the index only, or that show the same to everybody without it.
PLAIN = (
    "",
    "runs/plots/",
    "runs/?newer=x",
    "runs/{failed}/compared/",
    "flows/",
    "connections/",
    "tables/",
    "folders/",
    "mcp-servers/",
    "pieces/",
    "launches/",
    "launches/days/",
)


def content(browser: Client, url: str) -> str:
    """A page, and where it leads."""
    response = browser.get(url)
    body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    return body.decode("utf-8-sig") + response.headers.get("Location", "")


def leaked(two: Two, url: str, ids: dict[str, str]) -> list[str]:
    """What the page of the other one has that only the index knows, other than what was typed into the address."""
    found = content(two.other, url)
    return [mark for mark in marks(ids) if mark in found and mark not in url]


def marks(ids: dict[str, str]) -> tuple[str, ...]:
    """What only the index knows."""
    return (ONLY, NOTE, CHANNEL, DOWN, ids["gone"], f"/failures/{ids['failure']}/", f"/alarms/{ids['alarm']}/")


@pytest.mark.slow
@pytest.mark.both_databases
def test_people_who_may_not_use_its_credential_get_nothing_of_the_index(two: Two) -> None:
    ids = index(two)
    for url in pages(two, ids):
        assert any(mark in content(two.reader, url) for mark in marks(ids)), url
    # What the reader has cached is there for all who act with the same credential.
    for url in (*pages(two, ids), *(f"/w/sales/{page.format(**ids)}" for page in PLAIN), "/notices/"):
        assert leaked(two, url, ids) == [], url
    assert [notice.user.username for notice in Notice.objects.filter(kind=NoticeKind.ALARM)] == ["reader"]


@pytest.mark.slow
def test_people_who_may_not_use_its_credential_see_the_same_pages_as_without_an_index(two: Two) -> None:
    ids = {"failed": next(row["id"] for row in two.stage.practice.runs() if row["status"] == "FAILED")}
    urls = [f"/w/sales/{page.format(**ids)}" for page in (*PLAIN, "failures/", "alarms/", "report/", "runs/{failed}/")]
    urls += [*two.used.pages, *two.used.deletions, f"/w/sales/flows/{two.used.outer}/", "/w/sales/search/?q=outer"]

    def texts() -> dict[str, str]:
        answers.clear()
        return {url: words(two.other, url) for url in urls}

    before = texts()
    start(two.stage, kept=Kept.VALUES)
    read(two.stage)
    read_all(two.stage)
    assert texts() == before


def words(browser: Client, url: str) -> str:
    """A page's text without times, which go by, without the offer to start an index, which an index ends, and without that of rules on
    failure: with an index, they are for people who see its failures.
    """
    text = strip_tags(browser.get(url).content.decode())
    text = re.sub(r"On failure\s+Post to a channel\s*Run a flow\s*Turn the flow off", "", text)
    text = re.sub(r"Only launches from here are counted\.\s+Keep a searchable list of runs", "", text)
    return re.sub(r"\s+", " ", re.sub(r"\d+ (second|minute|hour|min|sec|h|s)s?\b|just now", "", text))


@pytest.mark.slow
def test_while_the_engine_is_down_the_index_replaces_it_only_for_people_who_may_see_it(two: Two) -> None:
    ids = index(two)
    two.stage.practice.server.stop()
    turn(two.stage)
    answers.clear()
    names = {kind: IndexedObject.objects.filter(kind=kind, name=ONLY).first() for kind in KINDS}
    urls = [f"/w/sales/{kind}/" for kind, row in names.items() if row]
    urls += [f"/w/sales/{kind}/{row.object_id}/" for kind, row in names.items() if row]
    urls += ["/w/sales/runs/", f"/w/sales/runs/{ids['failed']}/", "/w/sales/search/?q=zanzibar"]
    urls += [f"/w/sales/flows/{ids['ran']}/launch/"]
    for url in urls:
        assert ONLY in content(two.reader, url), url
    for url in (*urls, "/w/sales/mcp-servers/", f"/w/sales/runs/{ids['gone']}/"):
        assert leaked(two, url, ids) == [], url


@pytest.mark.slow
def test_a_manager_who_may_not_see_the_index_hands_over_failures_without_their_names(two: Two) -> None:
    ids = index(two)
    row = RunIndex.objects.get()
    pattern = failures.find_pattern(row, int(ids["failure"]))
    assert pattern
    failures.assign(Actor(two.stage.users.owner), row, pattern, two.stage.users.owner)
    url = f"/w/sales/people/{two.stage.users.owner.pk}/leaving/"
    assert ONLY in content(two.reader, url)
    assert "Assigned failures" in content(two.other, url)
    assert leaked(two, url, ids) == []
