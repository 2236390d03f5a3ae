"""Launches found by words of their inputs and answers, where a run index keeps values, by those who may open them."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.launches.models import Launch, LaunchText, LaunchWord, State
from workflows_ui.launches.services import sweeping
from workflows_ui.members.models import Role
from workflows_ui.run_index import tasks
from workflows_ui.run_index.models import IndexedRun, Kept, RunIndex, Search
from workflows_ui.run_index.services import indexes, launch_words, parts, words

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
LIST = "/w/sales/launches/"


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


def keep(scene: Scene, setting: Kept = Kept.VALUES, **limits: Any) -> None:
    """The workspace's run index keeps as much."""
    indexes.start(CONSOLE, scene.users.workspace, scene.users.credential, 90, kept=setting, **limits)


def read(scene: Scene) -> None:
    """Workers read until nothing is left."""
    while launch_words.due():
        tasks.read_launches(scene.users.workspace.pk)


def found(browser: Client, text: str) -> set[str]:
    """The launches that the list and the search find, which are the same."""
    pages = [browser.get(LIST, {"search": text}), browser.get("/w/sales/search/", {"q": text})]
    listed, hits = (set(re.findall(r'href="/w/sales/launches/(\w{21})/"', page.content.decode())) for page in pages)
    assert listed == hits
    return listed


def made(scene: Scene, payload: Any, **fields: Any) -> Launch:
    """A launch of the colleague that has ended."""
    values: dict[str, Any] = {"state": State.SUCCEEDED, "ended_at": timezone.now()}
    return scene.row(**values | {"payload": json.dumps(payload) if payload is not None else ""} | fields)


@pytest.mark.slow
def test_a_launch_is_found_by_its_inputs_at_once_and_by_its_answer_when_it_has_ended(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Order intake", flows.code("echo", given="{{trigger.body}}", receipt="RC-99120"))
    label, owner = "Flow, input, answer, or searchable value", scene.sign_in(scene.users.owner)
    assert label not in owner.get(LIST).content.decode()
    keep(scene)
    RunIndex.objects.update(read_at=timezone.now())
    assert label in owner.get(LIST).content.decode()
    launch = scene.launch(flow, '{"orderNo": "ORD-471182", "mail": "an@example.com"}')
    read(scene)
    assert found(scene.browser, "ORD-471182") == {launch.pk}
    scene.watch(launch)
    read(scene)
    for text in ("471182", "an@example.com", "order 471182", "RC-99120"):
        assert found(scene.browser, text) == {launch.pk}, text
    assert found(scene.browser, "47118") == set()
    hit = scene.browser.get("/w/sales/search/", {"q": "ORD-471182"}).content.decode()
    assert re.search(r"Order intake.*Succeeded, (today|yesterday) \d\d:\d\d · colleague", hit, re.DOTALL)


def test_a_person_finds_only_launches_that_they_may_open(scene: Scene) -> None:
    own, other = made(scene, {"no": "ORD-471182"}), made(scene, {"no": "ORD-471182"}, user=scene.users.owner)
    keep(scene)
    read(scene)
    assert found(scene.browser, "ORD-471182") == {own.pk}
    assert found(scene.sign_in(scene.member("builder", Role.BUILDER)), "ORD-471182") == {own.pk, other.pk}
    assert not found(scene.sign_in(scene.member("launcher", Role.LAUNCHER)), "ORD-471182")


def test_secrets_have_no_words_and_a_list_of_words_finds_nothing_without_the_key(scene: Scene) -> None:
    marks = [{"path": ["pin"]}, {"path": ["code"]}]
    payload = {"pin": "9173", "code": "zebra-4417", "api_key": "giraffe-5518", "no": "ORD-471182"}
    launch = made(scene, payload, secret_marks=marks, answer='{"said": "pin 9173 and zebra-4417"}')
    gone = made(scene, None, secret_marks=marks, answer='{"said": "pin 9173 is right"}')
    keep(scene)
    read(scene)
    assert found(scene.browser, "ORD-471182") == {launch.pk}
    for text in ("9173", "zebra-4417", "giraffe-5518"):
        assert not found(scene.browser, text), text
    assert not LaunchWord.objects.filter(launch=gone).exists()
    stored = set(LaunchWord.objects.values_list("word", flat=True))
    spoken = words.split("ORD-471182")
    assert set(words.hashes(RunIndex.objects.get().open("word_key"), spoken)) & stored
    assert not set(words.hashes("", spoken) + words.hashes(words.new_key(), spoken)) & stored


@pytest.mark.slow
def test_without_values_kept_there_are_no_words_and_keeping_less_or_ending_deletes_them(scene: Scene) -> None:
    launch = made(scene, {"no": "ORD-471182"})
    keep(scene, Kept.NAMES)
    assert not launch_words.due()
    keep(scene)
    read(scene)
    assert found(scene.browser, "ORD-471182") == {launch.pk}
    keep(scene, Kept.NAMES)
    tasks.trim(scene.users.workspace.pk)
    assert not LaunchWord.objects.exists()
    keep(scene)
    read(scene)
    # Started again with another key, before the words of the earlier one were deleted.
    indexes.stop(CONSOLE, scene.users.workspace)
    assert not found(scene.browser, "ORD-471182")
    keep(scene)
    read(scene)
    assert found(scene.browser, "ORD-471182") == {launch.pk}
    indexes.stop(CONSOLE, scene.users.workspace)
    tasks.purge()
    assert not LaunchWord.objects.exists()
    assert Launch.objects.get().words_read == 0


@pytest.mark.slow
def test_earlier_launches_are_read_newest_first_in_bounded_turns(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch_words, "BATCH", 2)
    monkeypatch.setattr(launch_words, "BUDGET", 0)
    now = timezone.now()
    rows = [made(scene, {"no": f"ORD-{n}{n}"}, asked_at=now - timedelta(hours=n)) for n in range(10, 15)]
    large = made(scene, {"no": "ORD-77"}, size=launch_words.LARGEST + 1)
    keep(scene)
    assert launch_words.due() == [scene.users.workspace.pk]
    tasks.read_launches(scene.users.workspace.pk)
    assert not LaunchWord.objects.exists()
    monkeypatch.setattr(launch_words, "BUDGET", 60)
    index = RunIndex.objects.get()
    assert launch_words._read_some(index, index.open("word_key")) is False  # nobody holds its lease
    read(scene)
    assert [found(scene.browser, f"ORD-{n}{n}") for n in range(10, 15)] == [{row.pk} for row in rows]
    assert not found(scene.browser, "ORD-77")
    # A word that more launches have.
    monkeypatch.setattr(launch_words, "FEW", 0)
    assert found(scene.browser, "no ORD-1111") == {rows[1].pk}
    assert Launch.objects.get(pk=large.pk).words_read == 2


def test_a_launch_whose_words_cannot_be_computed_is_read_once_in_each_state_and_the_others_are_found(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = made(scene, {"no": "ORD-471182"}, asked_at=timezone.now() - timedelta(minutes=5))
    odd = made(scene, {"no": "ORD-990"}, state=State.RUNNING, ended_at=None)
    keep(scene)
    real, tried = words.of_values, list[str]()

    def broken(texts: list[str], *others: Any) -> list[str]:
        if "ORD-990" in texts:
            tried.append("once")
            raise OverflowError("a value out of range")
        return real(texts, *others)

    monkeypatch.setattr(words, "of_values", broken)
    read(scene)
    assert found(scene.browser, "ORD-471182") == {other.pk}
    Launch.objects.filter(pk=odd.pk).update(state=State.SUCCEEDED, ended_at=timezone.now())
    read(scene)
    assert len(tried) == 2
    assert not launch_words.due()


@pytest.mark.slow
def test_a_retried_launch_is_read_again_and_words_leave_with_the_values(scene: Scene) -> None:
    launch = made(scene, {"no": "ORD-471182"}, answer='{"receipt": "RC-1001"}', answer_from="step", run_id="R" * 21)
    keep(scene)
    read(scene)
    assert found(scene.browser, "RC-1001") == {launch.pk}
    row = Launch.objects.get(pk=launch.pk)
    changed = {"answer": row.seal("answer", '{"receipt": "RC-2002"}'), "words_read": 0}
    Launch.objects.filter(pk=launch.pk).update(**changed)
    read(scene)
    assert not found(scene.browser, "RC-1001")
    assert found(scene.browser, "RC-2002") == {launch.pk}
    Launch.objects.update(asked_at=timezone.now() - settings.LAUNCH_RETENTION - timedelta(days=1))
    sweeping.purge()
    indexes.purge()
    assert not LaunchWord.objects.exists()
    assert not launch_words.due()


@pytest.mark.slow
def test_erasing_a_run_deletes_the_words_of_its_launch_for_good(scene: Scene) -> None:
    launch = made(scene, {"no": "ORD-471182"}, run_id="R" * 21)
    IndexedRun.objects.create(workspace=scene.users.workspace, run_id="R" * 21, created=timezone.now())
    keep(scene)
    read(scene)
    assert found(scene.browser, "ORD-471182") == {launch.pk}
    assert indexes.erase(CONSOLE, scene.users.workspace, "R" * 21)
    assert not found(scene.browser, "ORD-471182")
    Launch.objects.update(words_read=0)
    read(scene)
    assert not LaunchWord.objects.exists()


@pytest.mark.parametrize("search", [Search.KEYED, Search.PLAIN])
def test_words_of_launches_that_changed_leave_with_the_index_and_with_the_values(scene: Scene, search: Search) -> None:
    def stored() -> int:
        return LaunchText.objects.count() + LaunchWord.objects.count()

    made(scene, {"no": "ORD-471182"})
    for less in (lambda: indexes.stop(CONSOLE, scene.users.workspace), lambda: keep(scene, Kept.NAMES, search=search)):
        keep(scene, search=search)
        read(scene)
        assert stored()
        # The run was retried, say, and the next reader has not come yet.
        Launch.objects.update(words_read=0)
        less()
        tasks.purge()
        assert not stored()


def test_a_run_that_is_erased_while_its_launch_is_read_leaves_no_words(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(scene, {"no": "ORD-471182"}, run_id="R" * 21)
    other = made(scene, {"no": "ORD-471183"})
    IndexedRun.objects.create(workspace=scene.users.workspace, run_id="R" * 21, created=timezone.now())
    keep(scene, search=Search.PLAIN)
    real = words.of_values

    def meanwhile(*given: Any) -> list[str]:
        indexes.erase(CONSOLE, scene.users.workspace, "R" * 21)
        return real(*given)

    monkeypatch.setattr(words, "of_values", meanwhile)
    read(scene)
    assert set(LaunchText.objects.values_list("launch_id", flat=True)) == {other.pk}


def test_a_key_that_cannot_be_opened_leaves_the_rest_of_the_search(scene: Scene) -> None:
    launch = made(scene, {"no": "ORD-471182"}, flow_name="Order intake")
    keep(scene)
    RunIndex.objects.update(word_key="garbage")
    tasks.read_launches(scene.users.workspace.pk)
    assert found(scene.browser, "intake") == {launch.pk}
    assert not found(scene.browser, "ORD-471182")


@pytest.mark.slow
def test_launches_are_found_by_parts_of_words_where_these_are_stored_as_plain_text(scene: Scene) -> None:
    own, other = (
        made(scene, {"no": "ORD-471182", "to": "Nguyễn Thị Ánh"}),
        made(scene, {"no": "ORD-471182"}, user=scene.users.owner),
    )
    keep(scene, search=Search.PLAIN)
    read(scene)
    for text in ("7118", "rd-47", "guyen anh", "uyễn"):
        assert own.pk in found(scene.browser, text), text
    for text in ("7119", "b%c", "_", "18"):
        assert not found(scene.browser, text), text
    assert found(scene.browser, "7118") == {own.pk}
    assert found(scene.sign_in(scene.member("builder", Role.BUILDER)), "7118") == {own.pk, other.pk}
    assert not found(scene.sign_in(scene.member("launcher", Role.LAUNCHER)), "7118")
    assert not LaunchWord.objects.exists()


def test_secrets_of_launches_are_never_stored_as_plain_text(scene: Scene) -> None:
    marks = [{"path": ["pin"]}, {"path": ["code"]}]
    payload = {"pin": "9173", "code": "zebra-4417", "api_key": "giraffe-5518", "no": "ORD-471182", "note": "x-9173-y"}
    made(scene, payload, secret_marks=marks, answer='{"said": "pin 9173, pin:9173 and zebra-4417"}')
    made(scene, None, secret_marks=marks, answer='{"said": "pin 9173 is right"}')
    keep(scene, search=Search.PLAIN)
    read(scene)
    (stored,) = LaunchText.objects.values_list("text", flat=True)
    assert "ord-471182" in stored
    for text in ("9173", "zebra", "4417", "giraffe", "5518"):
        assert text not in stored, text


@pytest.mark.slow
def test_a_change_of_the_search_reads_launches_again_and_less_kept_deletes_their_plain_text(scene: Scene) -> None:
    launch = made(scene, {"no": "ORD-471182"}, run_id="R" * 21)
    IndexedRun.objects.create(workspace=scene.users.workspace, run_id="R" * 21, created=timezone.now())
    keep(scene)
    read(scene)
    keep(scene, search=Search.PLAIN)
    assert not found(scene.browser, "ORD-471182")
    read(scene)
    assert found(scene.browser, "7118") == {launch.pk}
    assert not LaunchWord.objects.exists()
    keep(scene)
    read(scene)
    assert found(scene.browser, "ORD-471182") == {launch.pk}
    assert not LaunchText.objects.exists()
    keep(scene, search=Search.PLAIN)
    read(scene)
    assert indexes.erase(CONSOLE, scene.users.workspace, "R" * 21)
    assert not LaunchText.objects.exists()
    made(scene, {"no": "ORD-471183"})
    read(scene)
    assert LaunchText.objects.count() == 1
    keep(scene, Kept.NAMES, search=Search.PLAIN)
    tasks.trim(scene.users.workspace.pk)
    assert not LaunchText.objects.exists()


@pytest.mark.slow
def test_of_very_many_launches_the_newest_are_listed_and_the_list_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    rows = [made(scene, {"no": f"ORD-4711{n}"}, asked_at=now - timedelta(hours=n)) for n in range(10, 14)]
    keep(scene, search=Search.PLAIN)
    read(scene)
    more = "Not all launches with these words are listed"
    monkeypatch.setattr(parts, "NEWEST", 1)
    assert found(scene.browser, "rd-47") == {row.pk for row in rows}
    monkeypatch.setattr(parts, "FOUND", 1)
    page = scene.browser.get(LIST, {"search": "rd-47"}).content.decode()
    assert more in page
    assert rows[0].pk in page
    assert more in scene.browser.get(f"{LIST}days/", {"search": "rd-47"}).content.decode()
    refused = scene.browser.get(f"{LIST}export/csv/", {"search": "rd-47"})
    assert refused.headers["Location"] == f"{LIST}?search=rd-47"
    assert "The file was not created" in scene.browser.get(refused.headers["Location"]).content.decode()
    assert not AuditEvent.objects.filter(action="launches.export").exists()
    # With a search that finds all.
    for path in (LIST, f"{LIST}days/"):
        assert more not in scene.browser.get(path, {"search": "rd-471110"}).content.decode()
    assert "The file was not created" not in scene.browser.get(LIST).content.decode()
    assert (
        "attachment" in scene.browser.get(f"{LIST}export/csv/", {"search": "rd-471110"}).headers["Content-Disposition"]
    )
