"""Notes on flows, runs and launches: written, read, changed and deleted by those who may, sealed and masked, without JavaScript too."""

import pytest
from django.test import Client

from tests.stub_engine import SECRET, StubEngine, flow, identity, run, text
from tests.users import Users
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import clock
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import LaunchRight, Member, Role
from workflows_ui.notes import services
from workflows_ui.notes.models import Note
from workflows_ui.notifications.models import Notice, NoticeKind

pytestmark = pytest.mark.both_databases

FLOW, RUN = f"/w/sales/flows/{identity(1)}/", f"/w/sales/runs/{identity(7)}/"
NOTES = f"/w/sales/notes/flows/{identity(1)}/"
HTMX = {"HX-Request": "true", "HX-Target": "notes"}


@pytest.fixture(autouse=True)
def _objects(stub_engine: StubEngine) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [run(7)]


def colleague(users: Users, role: Role) -> Client:
    Member.objects.filter(user=users.colleague).update(role=role)
    return browser(users.colleague)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def launch_of(users: Users, user: User) -> Launch:
    now = clock.now()
    return Launch.objects.create(
        workspace=users.workspace,
        user=user,
        ticket=f"t{user.pk}",
        flow_id=identity(1),
        payload_digest="d",
        asked_at=now,
        not_before=now,
        send_by=now,
    )


def test_a_note_on_a_flow_is_on_its_page_newest_first_and_sealed_in_the_database(owner: Client) -> None:
    for words in ("the first <b>", "the second"):
        answer = owner.post(NOTES, {"text": words})
        assert (answer.status_code, answer["Location"]) == (303, FLOW)
    page = text(owner.get(FLOW).content)
    assert page.index("the second") < page.index("the first &lt;b&gt;")
    assert all("first" not in row.text for row in Note.objects.all())


def test_a_note_on_a_run_and_on_a_launch_is_on_their_pages(users: Users, owner: Client) -> None:
    launch = launch_of(users, users.owner)
    for subject, key, page in (("runs", identity(7), RUN), ("launch", launch.pk, f"/w/sales/launches/{launch.pk}/")):
        owner.post(f"/w/sales/notes/{subject}/{key}/", {"text": f"about {subject}"})
        assert f"about {subject}" in text(owner.get(page).content)
        assert "about" not in text(owner.get(FLOW).content).split('id="notes"')[1].split("</section>")[0]


def test_htmx_swaps_the_notes_only(owner: Client) -> None:
    fragment = text(owner.post(NOTES, {"text": "in place"}, headers=HTMX).content)
    assert fragment.strip().startswith('<section class="card mb-3 notes" id="notes"')
    assert "in place" in fragment
    empty = owner.post(NOTES, {"text": "  "}, headers=HTMX)
    assert (empty.status_code, "Write something first." in text(empty.content)) == (200, True)
    assert owner.post(NOTES, {"text": "  "}).status_code == 422
    assert owner.post(NOTES, {"text": "x" * 10_001}).status_code == 422
    assert Note.objects.count() == 1


def test_known_secrets_are_masked(owner: Client) -> None:
    owner.post(NOTES, {"text": f"the key is {SECRET}."})
    for page in (FLOW, NOTES, f"/w/sales/notes/{Note.objects.get().pk}/"):
        shown = text(owner.get(page).content)
        assert "the key is" in shown
        assert SECRET not in shown


@pytest.mark.slow
def test_only_the_author_changes_a_note_and_managers_delete_it_too(users: Users, owner: Client) -> None:
    author = colleague(users, Role.VIEWER)
    author.post(NOTES, {"text": "mine"})
    note = Note.objects.get()
    address = f"/w/sales/notes/{note.pk}/"
    assert owner.post(address, {"text": "theirs"}).status_code == 200
    author.post(address, {"text": "changed by me"})
    assert "changed by me" in text(owner.get(FLOW).content)
    assert "edited" in text(owner.get(FLOW).content)
    owner.post(NOTES, {"text": "of the manager"})
    other = Note.objects.exclude(pk=note.pk).get()
    for response in (
        author.get(f"/w/sales/notes/{other.pk}/"),
        author.post(f"/w/sales/notes/{other.pk}/", {"delete": "1"}),
    ):
        assert response.status_code == 404
    owner.post(address, {"delete": "1"})
    assert list(Note.objects.all()) == [other]


def test_who_may_not_open_the_object_neither_reads_nor_writes_notes_on_it(users: Users) -> None:
    theirs = launch_of(users, users.owner)
    launcher = colleague(users, Role.LAUNCHER)
    for address in (
        f"/w/sales/notes/launch/{theirs.pk}/",
        f"/w/sales/notes/flows/{identity(99)}/",
        f"/w/sales/notes/runs/{identity(99)}/",
        f"/w/sales/notes/tables/{identity(1)}/",
        "/w/sales/notes/nothing/",
    ):
        assert launcher.get(address).status_code == 404, address
        assert launcher.post(address, {"text": "hello"}).status_code == 404
    assert browser(users.stranger).get(NOTES).status_code == 404
    assert Note.objects.count() == 0


def test_notes_are_in_the_objects_history_without_their_text(owner: Client) -> None:
    owner.post(NOTES, {"text": "confidential words"})
    note = Note.objects.get()
    owner.post(f"/w/sales/notes/{note.pk}/", {"text": "other confidential words"})
    owner.post(f"/w/sales/notes/{note.pk}/", {"delete": "1"})
    events = AuditEvent.objects.filter(object_type="flows", object_id=identity(1)).order_by("pk")
    assert [event.action for event in events] == ["note.add", "note.change", "note.delete"]
    assert [event.object_name for event in events] == ["Order intake"] * 3
    assert "confidential" not in repr(list(events.values()))
    history = text(owner.get(f"{FLOW}?tab=history").content)
    for words in ("Added a note", "Changed a note", "Deleted a note"):
        assert words in history


def test_a_note_that_was_changed_in_the_database_is_not_shown_as_one(owner: Client) -> None:
    owner.post(NOTES, {"text": "one"})
    owner.post(NOTES, {"text": "two"})
    first, second = Note.objects.order_by("created_at")
    Note.objects.filter(pk=first.pk).update(text=second.text)
    page = text(owner.get(FLOW).content)
    assert "This note cannot be read" in page
    assert page.count('dir="auto">two</div>') == 1


@pytest.mark.slow
def test_an_object_has_a_limited_number_of_notes_and_its_page_shows_the_newest(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST", 22)
    for number in range(23):
        owner.post(NOTES, {"text": f"note {number:02}."})
    assert Note.objects.count() == 22
    assert "Delete some first" in text(owner.post(NOTES, {"text": "more"}).content)
    page = text(owner.get(FLOW).content)
    assert "note 02." in page
    assert "note 01." not in page
    assert "2 older notes" in page
    assert "note 00." in text(owner.get(NOTES).content)


def test_a_guest_writes_notes_on_their_own_launch_only(users: Users) -> None:
    LaunchRight.objects.create(
        workspace=users.workspace, flow_id=identity(1), user=users.stranger, created_by=users.owner
    )
    own, other = launch_of(users, users.stranger), launch_of(users, users.owner)
    guest = browser(users.stranger)
    assert guest.post(f"/w/sales/notes/launch/{own.pk}/", {"text": "mine"}).status_code == 303
    assert guest.post(f"/w/sales/notes/launch/{other.pk}/", {"text": "not mine"}).status_code == 404
    assert guest.post(NOTES, {"text": "hello"}).status_code in (403, 404)
    assert [row.object_id for row in Note.objects.all()] == [own.pk]


def test_an_owner_with_an_odd_address_in_the_engine_does_not_stop_a_question(
    users: Users, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow(ownerId="someone")]
    stub_engine.rows["/users"] = [{"id": "someone", "firstName": "L\x00an", "email": "lan\x00@example.com"}]
    answer = colleague(users, Role.LAUNCHER).post(f"{NOTES}ask/", {"text": "Why?"})
    assert (answer.status_code, answer["Location"]) == (303, FLOW)
    assert "/users/someone" in stub_engine.calls
    assert Notice.objects.filter(user=users.owner, kind=NoticeKind.NOTE).count() == 1


def test_a_question_about_a_run_goes_to_the_owner_of_its_flow_and_reads_the_run_once(
    users: Users, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow(ownerId="someone")]
    stub_engine.rows["/users"] = [{"id": "someone", "firstName": "Lan", "email": "lan@example.com"}]
    answer = colleague(users, Role.LAUNCHER).post(f"/w/sales/notes/runs/{identity(7)}/ask/", {"text": "Why?"})
    assert (answer.status_code, answer["Location"]) == (303, RUN)
    assert stub_engine.calls.count(f"/flow-runs/{identity(7)}") == 1
    assert "/users/someone" in stub_engine.calls
    assert Notice.objects.filter(user=users.owner, kind=NoticeKind.NOTE).count() == 1
