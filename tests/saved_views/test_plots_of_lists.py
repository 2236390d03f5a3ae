"""The plot above a list: folded at first, named by its period, and kept as the person left it."""

import pytest
from django.test import Client
from django.utils import timezone

from tests.launches.launch_scene import Scene, scene, text_of
from workflows_ui.saved_views.models import ListChoice

__all__ = ["scene"]
pytestmark = pytest.mark.django_db
FOLD = '<details class="plot-fold" id="plot-fold"'


def is_open(client: Client, query: str = "") -> bool:
    page = client.get(f"/w/sales/launches/{query}").content.decode()
    assert FOLD in page
    return f"{FOLD} open" in page


def test_a_plot_is_folded_until_the_person_opens_it_and_stays_as_they_left_it(scene: Scene) -> None:
    scene.row()
    client, other = scene.sign_in(scene.users.owner), scene.sign_in(scene.users.colleague)
    assert not is_open(client)
    assert client.post("/w/sales/list-plot/", {"list": "launches"}).status_code == 204
    assert is_open(client)
    assert is_open(client, "?rows=50")
    assert not is_open(other)
    assert not ListChoice.objects.filter(list_path="runs").exists()
    assert client.post("/w/sales/list-plot/", {"list": "launches", "folded": "1"}).status_code == 204
    assert not is_open(client)


def test_a_list_that_is_none_and_a_stranger_keep_nothing(scene: Scene) -> None:
    client, stranger = scene.sign_in(scene.users.owner), scene.sign_in(scene.users.stranger)
    assert client.post("/w/sales/list-plot/", {"list": "../admin"}).status_code == 204
    assert stranger.post("/w/sales/list-plot/", {"list": "launches"}).status_code == 404
    assert client.get("/w/sales/list-plot/").status_code == 405
    assert not ListChoice.objects.exists()


def test_a_plot_names_its_period(scene: Scene) -> None:
    scene.row()
    client, today = scene.sign_in(scene.users.owner), timezone.localdate().isoformat()
    assert "Per day, last 14 days" in text_of(client.get("/w/sales/launches/"))
    assert "Per day, last 7 days" in text_of(client.get("/w/sales/launches/?period=7"))
    assert "Per day, today" in text_of(client.get(f"/w/sales/launches/?since={today}"))
