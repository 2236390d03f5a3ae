"""A guest, whom only a launch right lets in, reads what their flow will do and the results of their launches, and nothing else."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from tests.launches.launch_scene import text_of
from tests.members.guests import Guests
from workflows_ui.launches.models import Launch, State
from workflows_ui.members.models import LaunchRight


def _failed(guests: Guests, **fields: object) -> Launch:
    values: dict[str, Any] = {
        "flow_id": guests.flow,
        "user": guests.gail,
        "state": State.FAILED,
        "failure": "Error: soft",
    } | fields
    return guests.scene.row(**values, run_id="R" * 21, failed_step="Echo", ended_at=timezone.now())


def test_a_guest_reads_what_their_flow_will_do_but_not_who_launched_it(guests: Guests) -> None:
    guests.right()
    guests.scene.row(flow_id=guests.flow, user=guests.scene.users.owner, state=State.SUCCEEDED, ended_at=timezone.now())
    page = text_of(guests.browser.get(reverse("flow_does", args=["sales", guests.flow])))
    assert "custom code" in page
    assert "Its one finished launch from here succeeded" in page
    assert "owner" not in page
    assert guests.browser.get(reverse("flow_does", args=["sales", guests.other])).status_code == 404


def test_a_guest_sees_on_the_launch_page_how_many_launches_are_left_and_until_when(guests: Guests) -> None:
    friday = timezone.now() + timedelta(days=3)
    page = reverse("flow_launch", args=["sales", guests.flow])
    guests.right(most_launches=20, until=friday, used=17)
    assert f"3 of 20 launches left, until {date_format(timezone.localtime(friday), 'l H:i')}" in text_of(
        guests.browser.get(page)
    )
    LaunchRight.objects.update(most_launches=None)
    assert "launches left" not in text_of(guests.browser.get(page))
    assert "Until " in text_of(guests.browser.get(page))


def test_a_guest_is_informed_why_a_launch_failed_without_ways_that_are_closed_to_them(guests: Guests) -> None:
    guests.right()
    launch = _failed(guests)
    page = text_of(guests.browser.get(reverse("launch", args=["sales", launch.pk])))
    assert "ask the flow&#x27;s owner" in page
    assert "ask-open" in page
    assert "again-open" in page
    assert "retry-open" not in page
    story = text_of(guests.browser.get(reverse("launch_story", args=["sales", launch.pk])))
    assert "gail requested the launch." in story
    assert "Who can help" not in story
    theirs = _failed(guests, user=guests.scene.users.owner)
    assert guests.browser.get(reverse("launch_story", args=["sales", theirs.pk])).status_code == 404


def test_a_guest_runs_it_again_as_often_as_the_right_allows(guests: Guests) -> None:
    right = guests.right(most_launches=1)
    launch = _failed(guests)

    def again() -> HttpResponse:
        page = text_of(guests.browser.get(reverse("launch", args=["sales", launch.pk])))
        ticket = page.partition('name="ticket" value="')[2].partition('"')[0] or "t" * 32
        response = guests.browser.post(reverse("launch_again", args=["sales", launch.pk]), {"ticket": ticket})
        assert isinstance(response, HttpResponse)
        return response

    assert again().status_code == 303
    assert Launch.objects.count() == 2
    right.refresh_from_db()
    assert right.used == 1
    again()
    assert Launch.objects.count() == 2
