"""The flows' pages: filters, paging, what may be launched."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from tests.shelf import Shelf, flow, identity, text
from workflows_ui.models import Launch, Member, Role

FLOWS = "/w/sales/flows/"


def test_filters_reach_the_engine_as_it_names_them(owner: Client, shelf: Shelf) -> None:
    owner.get(f"{FLOWS}?name=order&status=ENABLED&folder=NULL&rows=50")
    (query,) = shelf.queries("/flows")
    assert query["name"] == ["order"]
    assert query["status"] == ["ENABLED"]
    assert query["folderId"] == ["NULL"]
    assert query["limit"] == ["50"]


def test_folders_are_shown_and_offered_by_name(owner: Client, shelf: Shelf) -> None:
    shelf.folders = [{"id": identity(7), "displayName": "Sales"}]
    shelf.flows = [flow(folderId=identity(7))]
    page = text(owner.get(f"{FLOWS}?folder={identity(7)}").content)
    assert f'<option value="{identity(7)}" selected>Sales</option>' in page
    assert "Folder: Sales" in page


def test_every_flow_is_reached_by_following_older(owner: Client, shelf: Shelf) -> None:
    shelf.flows = [flow(number, f"Flow {number:02}") for number in range(1, 46)]
    address, seen = FLOWS, []
    while address:
        page = owner.get(address).content.decode()
        seen += re.findall(r"Flow \d\d(?=</span>)", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"Flow {number:02}" for number in range(1, 46)]


def test_a_row_that_the_engine_gives_twice_is_shown_once(owner: Client, shelf: Shelf) -> None:
    shelf.flows = [flow(1, "Twice"), flow(1, "Twice")]
    assert owner.get(FLOWS).content.count(b">Twice</span>") == 1


def _launch_link(page: bytes) -> bool:
    return f'href="/w/sales/flows/{identity(1)}/launch/"' in page.decode()


def test_a_launcher_is_offered_the_launch_in_the_row_and_on_the_page(cast: Cast, client: Client, shelf: Shelf) -> None:
    shelf.flows = [flow()]
    client.force_login(cast.colleague)
    assert _launch_link(client.get(FLOWS).content)
    assert _launch_link(client.get(f"{FLOWS}{identity(1)}/").content)
    Member.objects.filter(user=cast.colleague).update(role=Role.VIEWER)
    assert not _launch_link(client.get(FLOWS).content)
    assert not _launch_link(client.get(f"{FLOWS}{identity(1)}/").content)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "DISABLED"}, "It is off."),
        ({"status": "DISABLED", "publishedVersionId": None}, "It was never published."),
        (
            {"version": {"displayName": "x", "trigger": {"type": "PIECE_TRIGGER", "settings": {}}}},
            "It starts by itself",
        ),
    ],
)
def test_a_flow_that_cannot_be_launched_says_why(
    owner: Client, shelf: Shelf, changes: dict[str, Any], reason: str
) -> None:
    shelf.flows = [flow(**changes)]
    page = owner.get(f"{FLOWS}{identity(1)}/").content
    assert reason in text(page)
    assert not _launch_link(page)


def test_the_page_of_a_flow_leads_to_its_runs_and_launches(cast: Cast, owner: Client, shelf: Shelf) -> None:
    shelf.flows = [flow()]
    now = timezone.now()
    times = {"asked_at": now, "not_before": now, "send_by": now}
    launch = Launch.objects.create(
        workspace=cast.workspace, user=cast.colleague, ticket="t", flow_id=identity(1), payload_digest="d", **times
    )
    page = text(owner.get(f"{FLOWS}{identity(1)}/").content)
    assert f'href="/w/sales/runs/?flow={identity(1)}"' in page
    assert f'href="/w/sales/launches/{launch.pk}/"' in page
    assert "Waiting to be sent" in page


def test_unpublished_changes_are_told(owner: Client, shelf: Shelf) -> None:
    shelf.flows = [flow(publishedVersionId="V0")]
    assert "Has changes that are not published" in text(owner.get(FLOWS).content)
