"""/admin/ in the console's frame: sound in every look, and the console silent."""

import pytest

from tests.browser.test_accounts_and_credentials import Desk, desks
from tests.users import person
from workflows_ui.accounts.models import User

__all__ = ["desks"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_administration_is_sound_in_every_look(desks: dict[str, Desk]) -> None:
    admin = person("owner")
    User.objects.filter(pk=admin.pk).update(is_superuser=True)
    desk = desks["desk"]
    desk.sign_in("owner")
    for path in (
        "/admin/",
        "/admin/#stored-rows",
        "/admin/workflows_ui/user/?q=o&o=1",
        f"/admin/workflows_ui/user/{admin.pk}/change/",
    ):
        desk.open(path)
        assert desk.page.locator("#sidebar").count() == 1
        desk.sound()


def test_the_stored_data_unfold_with_the_keyboard(desks: dict[str, Desk]) -> None:
    admin = person("owner")
    User.objects.filter(pk=admin.pk).update(is_superuser=True)
    desk = desks["desk"]
    desk.sign_in("owner", "/admin/")
    rows = desk.page.locator("#stored-rows")
    assert not rows.is_visible()
    desk.page.locator("#stored-data > summary").focus()
    desk.page.keyboard.press("Enter")
    assert rows.is_visible()
    desk.page.get_by_role("link", name="Known browsers", exact=True).click()
    assert desk.heading() == "Known browsers"
