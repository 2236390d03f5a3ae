"""The list of launches: whose are shown, filters in the address, pages that neither lose nor repeat a row."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.launches.launch_scene import Scene, text_of, unescape
from tests.users import workspace
from workflows_ui.core.secret_names import MASK
from workflows_ui.launches import tables
from workflows_ui.launches.models import Launch, LaunchInput, State
from workflows_ui.members.models import Member, Role

pytestmark = pytest.mark.both_databases

URL = "/w/sales/launches/"


def _shown(browser: Client, **query: str) -> list[str]:
    """The ids of the launches on the page, in order."""
    response = browser.get(URL, query)
    assert response.status_code == 200
    return _ids(response)


def _ids(response: Any) -> list[str]:
    return [line["id"] for line in response.context["lines"]]


def test_a_launcher_sees_their_own_and_a_builder_everybodys(scene: Scene) -> None:
    mine, theirs = scene.row(), scene.row(user=scene.users.owner)
    assert _shown(scene.browser) == [mine.pk]
    assert set(_shown(scene.sign_in(scene.users.owner))) == {mine.pk, theirs.pk}
    assert "Launched by" not in text_of(scene.browser.get(URL))


def test_a_stranger_finds_no_list_and_a_viewer_an_explained_one(scene: Scene) -> None:
    scene.row()
    assert scene.sign_in(scene.users.stranger).get(URL).status_code == 404
    page = text_of(scene.sign_in(scene.member("viewer", Role.VIEWER)).get(URL))
    assert "You have launched nothing here" in page
    assert "Launching needs the role of a launcher." in page


def test_launches_of_other_workspaces_are_not_in_it(scene: Scene) -> None:
    other = workspace("other")
    Member.objects.create(workspace=other, user=scene.users.colleague, role=Role.MANAGER)
    scene.row()
    assert scene.browser.get("/w/other/launches/").context["lines"] == []


def test_an_empty_list_offers_the_next_step(scene: Scene) -> None:
    page = text_of(scene.browser.get(URL))
    assert "Nothing has been launched yet" in page
    assert "Choose a flow" in page


def test_every_state_is_explained(scene: Scene) -> None:
    for state in State:
        scene.row(state=state)
    page = unescape(text_of(scene.browser.get(URL)))
    for state in State:
        assert str(state.label) in page


def test_the_filters_find_by_flow_person_and_state(scene: Scene) -> None:
    owner = scene.sign_in(scene.users.owner)
    one = scene.row(flow_id="A" * 21, flow_name="One", state=State.SUCCEEDED)
    two = scene.row(flow_id="B" * 21, flow_name="Two", state=State.QUEUED, user=scene.users.owner)
    three = scene.row(flow_id="B" * 21, flow_name="Two", state=State.CLAIMED)
    assert _shown(owner, flow="A" * 21) == [one.pk]
    assert _shown(owner, person=str(scene.users.owner.pk)) == [two.pk]
    assert set(_shown(owner, state="waiting")) == {two.pk, three.pk}
    assert set(_shown(owner, state="open")) == {two.pk, three.pk}
    assert _shown(owner, state="succeeded", flow="A" * 21) == [one.pk]
    assert _shown(owner, state="failed") == []


def test_a_launch_is_found_by_its_id_and_by_its_runs(scene: Scene) -> None:
    wanted, _other = scene.row(run_id="R" * 21), scene.row(run_id="S" * 21)
    assert _shown(scene.browser, id=f" {wanted.pk} ") == [wanted.pk]
    assert _shown(scene.browser, id="R" * 21) == [wanted.pk]
    theirs = scene.row(user=scene.users.owner)
    assert _shown(scene.browser, id=theirs.pk) == []


def test_days_are_those_of_the_persons_zone(scene: Scene) -> None:
    scene.users.colleague.time_zone = "Asia/Ho_Chi_Minh"
    scene.users.colleague.save()
    late = scene.row(asked_at=datetime(2026, 3, 1, 16, 59, tzinfo=UTC))  # 23:59 on the 1st in Ho Chi Minh City
    early = scene.row(asked_at=datetime(2026, 3, 1, 17, 1, tzinfo=UTC))  # 00:01 on the 2nd
    assert _shown(scene.browser, since="2026-03-02") == [early.pk]
    assert _shown(scene.browser, until="2026-03-01") == [late.pk]
    assert _shown(scene.browser, since="2026-03-01", until="2026-03-02") == [early.pk, late.pk]


def test_a_period_is_the_last_days_of_the_persons_zone_today_included(scene: Scene) -> None:
    scene.users.colleague.time_zone = "UTC"
    scene.users.colleague.save()
    midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    six, seven = (scene.row(asked_at=midnight - timedelta(days=days)).pk for days in (6, 7))
    now = scene.row(asked_at=timezone.now()).pk
    assert _shown(scene.browser, period="1") == [now]
    assert _shown(scene.browser, period="7") == [now, six]
    assert _shown(scene.browser, period="30") == [now, six, seven]
    assert "Period: Last 7 days" in text_of(scene.browser.get(URL, {"period": "7"}))


def test_a_launcher_cannot_filter_by_person(scene: Scene) -> None:
    mine = scene.row()
    assert _shown(scene.browser, person=str(scene.users.owner.pk)) == [mine.pk]
    assert 'name="person"' not in text_of(scene.browser.get(URL))


def test_the_person_filter_names_nobody_who_launched_nothing(scene: Scene) -> None:
    page = text_of(scene.sign_in(scene.users.owner).get(URL, {"person": str(scene.users.stranger.pk)}))
    assert "stranger" not in page


@pytest.mark.parametrize(
    "query",
    [
        {"state": "nonsense"},
        {"since": "2026-02-31"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"person": "x"},
        {"flow": "x" * 65},
    ],
)
def test_a_filter_that_makes_no_sense_is_said_and_nothing_else_breaks(scene: Scene, query: dict[str, str]) -> None:
    page = text_of(scene.sign_in(scene.users.owner).get(URL, query))
    assert "These filters cannot be used" in page


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "-1",
        "9" * 500,
        "0@2026-01-01",
        "40",
        "²",
        "0@~",
        "20@0001-01-01T00:00:00+14:00~1",
        "20@9999-12-31T23:59:59-14:00~1",
        "20@2026-01-01T00:00:00Z~" + "9" * 60,
        "20@2026-01-01T00:00:00+00:00~'",
    ],
)
def test_a_made_up_place_in_the_list_is_a_page_without_a_fault(scene: Scene, place: str) -> None:
    row = scene.row()
    assert _shown(scene.browser, at=place) in ([], [row.pk])


def test_chips_take_one_filter_away_and_leave_the_others(scene: Scene) -> None:
    scene.row(flow_id="A" * 21, flow_name="One", state=State.FAILED)
    response = scene.browser.get(URL, {"flow": "A" * 21, "state": "failed"})
    chips = {str(chip.label): (chip.value, chip.url) for chip in response.context["chips"]}
    assert chips["Flow"] == ("One", f"{URL}?state=failed")
    assert chips["State"] == ("Failed", f"{URL}?flow={'A' * 21}")


def test_walking_older_and_newer_meets_every_row_once(scene: Scene) -> None:
    now = timezone.now()
    # Several at the same moment, as a burst of launches makes them.
    rows = [scene.row(asked_at=now - timedelta(minutes=number // 4)) for number in range(2 * tables.Launches.rows + 7)]
    wanted = [row.pk for row in sorted(rows, key=lambda row: (row.asked_at, row.pk), reverse=True)]
    walked, url, pages = [], URL, []
    while url:
        response = scene.browser.get(url)
        pages.append(_ids(response))
        walked += pages[-1]
        last, url = url, response.context["pages"].older_url
    assert walked == wanted
    back = scene.browser.get(scene.browser.get(last).context["pages"].newer_url)
    assert _ids(back) == pages[-2]
    first = scene.browser.get(back.context["pages"].newer_url)
    assert _ids(first) == pages[0]
    assert first.context["pages"].newer_url == ""


def test_filters_stay_while_walking(scene: Scene) -> None:
    for _ in range(tables.Launches.rows + 1):
        scene.row(state=State.FAILED)
    assert "state=failed" in scene.browser.get(URL, {"state": "failed"}).context["pages"].older_url


def test_htmx_gets_the_results_alone(scene: Scene) -> None:
    scene.row()
    part = text_of(scene.browser.get(URL, headers={"HX-Request": "true", "HX-Target": "results"}))
    assert part.strip().startswith('<section id="results"')
    assert "<html" not in part


def test_the_number_of_questions_does_not_grow_with_the_rows(scene: Scene) -> None:
    scene.row()
    scene.browser.get(URL)
    with CaptureQueriesContext(connection) as few:
        scene.browser.get(URL)
    for _ in range(20):
        scene.row(user=scene.users.colleague)
    with CaptureQueriesContext(connection) as many:
        scene.browser.get(URL)
    assert len(few) == len(many)


def test_names_of_flows_are_text(scene: Scene) -> None:
    scene.row(flow_name="<img src=x onerror=alert(1)>" + "n" * 10_000)
    page = text_of(scene.browser.get(URL))
    assert "<img src=x" not in page
    assert "n" * 1000 not in page


def test_the_list_asks_no_engine(scene: Scene) -> None:
    Launch.objects.all().delete()
    scene.row()
    before = scene.engine.journal.count()
    assert scene.browser.get(URL).status_code == 200
    assert scene.engine.journal.count() == before


def test_an_input_that_was_kept_before_its_name_was_known_to_be_secret_is_masked(scene: Scene) -> None:
    row = scene.row()
    for name, label, text in (
        ("a", "Password", "Zk7q-one"),
        ("token", "A", "Zk7q-two"),
        ("b", "B", "password=Zk7q-three"),
    ):
        LaunchInput.objects.create(launch=row, name=name, label=label, text=text)
    page = unescape(text_of(scene.browser.get(URL)))
    assert "Zk7q" not in page
    assert f"Password: {MASK}" in page
