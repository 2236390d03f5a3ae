"""Channel automations: what answers in Imbrace's channels, by type, with the flow behind it."""

from practice_engine.samples import sample_flows
from tests.connection_scene import Scene, scene
from tests.practice_engine.fixtures import practice
from workflows_ui.members.models import Flavour

__all__ = ["practice", "scene"]

LIST = "/w/sales/channel-automations/"


def without_channels(scene: Scene) -> bool:
    return str(scene.users.workspace.flavour) == Flavour.ACTIVEPIECES


def test_they_are_listed_with_their_state_or_it_is_said_that_the_engine_has_none(scene: Scene) -> None:
    page = scene.page(LIST)
    if without_channels(scene):
        assert "This engine has no channel automations" in page
        assert "Web chat" not in page
        return
    for words in ("Trả lời tự động trên web", "WhatsApp order updates", "facebook", "Off", "Web chat"):
        assert words in page
    assert "LINE greetings" not in page, "it is another organization's"


def test_they_are_found_by_the_type_of_their_channel(scene: Scene) -> None:
    page = scene.page(f"{LIST}?channel=whatsapp")
    if without_channels(scene):
        assert "This engine has no channel automations" in page
        return
    assert "WhatsApp order updates" in page
    assert "Trả lời tự động trên web" not in page
    assert "No results for these filters" in scene.page(f"{LIST}?channel=carrier-pigeon")


def test_the_flow_behind_one_is_linked_if_it_has_one(scene: Scene) -> None:
    orders = sample_flows()["orders"]
    link = f'href="/w/sales/flows/{orders.id}/"'
    if without_channels(scene):
        assert scene.browser.get(f"{LIST}{orders.id}/").status_code == 404
        return
    page = scene.page(LIST)
    assert page.count(link) == 1
    one = scene.page(f"{LIST}{orders.id}/")
    assert link in one
    data = scene.page(f"{LIST}{orders.id}/?tab=data")
    assert "consoleFlow" not in data
    assert "/imbrace/channel-service/v1/workflows/channel_automation" in data
    other = next(key for key, row in scene.practice.engine.state.automations.items() if row["channelType"] == "web")
    assert "/w/sales/flows/" + other not in scene.page(f"{LIST}{other}/")


def test_an_older_gateway_is_asked_at_its_own_address(scene: Scene) -> None:
    settings = scene.practice.engine.settings
    settings.new_channel_route, settings.old_channel_route = False, True
    words = "This engine has no channel automations" if without_channels(scene) else "WhatsApp order updates"
    assert words in scene.page(LIST)
    settings.old_channel_route = False
    assert "This engine has no channel automations" in scene.page(LIST)
