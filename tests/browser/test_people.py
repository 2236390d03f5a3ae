"""From an invitation to the end of a right, in a real browser: the launcher signs in with an app's code and with a passkey, launches with
the team's key and sees nothing else."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from tests import flows
from tests.accounts.sign_in import code, with_app
from tests.browser import passkeys
from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.launches.launch_scene import Scene
from tests.users import credential, person, share
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import sending
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Member, Role, Workspace
from workflows_ui.members.services import teams

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
#: What Chromium writes about pages that are refused on purpose.
REFUSED = ("status of 403", "status of 404", "status of 410", "status of 422")
PASSWORD = "a quiet river at noon"


@pytest.fixture
def stage(transactional_db: None, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A scene whose rows the live server's threads see too, with the team Field and its key."""
    # Playwright keeps a loop in this thread; Django would refuse the database for it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    monkeypatch.setattr(settings, "BASE_URL", live_server.url)
    monkeypatch.setattr(settings, "PASSKEYS", True)
    made = Scene()
    team = Group.objects.create(name="Field")
    secret = made.users.credential.open("secret")
    share(
        credential(made.users.workspace, person("holder"), secret, kind=made.users.credential.kind, name="Field's key"),
        team,
    )
    yield made
    made.close()


def test_an_invited_launcher_launches_one_flow_with_the_teams_key_and_sees_nothing_else(
    stage: Scene, window: Window
) -> None:
    flow = flows.make(stage.workflows, "Order intake", flows.code("echo", given="{{trigger.body}}"))
    flows.make(stage.workflows, "Payroll", flows.code("echo", given="{{trigger.body}}"))

    manager = window(stage.users.owner, expected=REFUSED)
    manager.goto("/w/sales/members/")
    manager.get_by_role("link", name="Add people").click()
    manager.get_by_label("A person").fill("lena@example.com")
    manager.get_by_role("button", name="Add", exact=True).click()
    expect(manager.get_by_label("A person")).to_have_value("lena@example.com")
    manager.get_by_label("No role: only what their teams give access to").check()
    manager.get_by_label("Field").check()
    manager.get_by_role("button", name="Invite by email").click()
    link = manager.locator("#invitation-link").inner_text()
    manager.goto(f"/w/sales/flows/{flow}/")
    expect(manager.locator("[data-late]")).to_have_count(0)
    manager.locator("#page-actions summary").click()
    manager.locator("#page-actions").get_by_role("link", name="Launch rights").click()
    manager.get_by_label("Or a team").select_option(label="Field")
    manager.get_by_label("Maximum launches").fill("2")
    until = timezone.localtime(timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT18:00")
    manager.get_by_label("Until").fill(until)
    manager.get_by_role("button", name="Give the right").click()
    expect(manager.locator("main table").first).to_contain_text("0 of 2 launches used")

    lena = window()
    lena.goto(link)
    expect(lena.locator("#invited-address")).to_have_text("lena@example.com")
    lena.get_by_label("Username").fill("lena")
    lena.get_by_label("Password", exact=False).first.fill(PASSWORD)
    lena.get_by_label("Confirm password").fill(PASSWORD)
    lena.get_by_role("button", name="Create the account and join").click()
    expect(lena.locator("h1")).to_have_text("Launch Order intake")
    expect(lena.locator("main")).not_to_contain_text("Payroll")
    expect(lena.locator("#sidebar")).not_to_contain_text("Flows")
    lena.get_by_role("button", name="Launch", exact=True).click()
    expect(lena.locator("h1")).to_contain_text("Launch of Order intake")
    launch = Launch.objects.get()
    sending.send(launch.pk)
    stage.watch(launch)
    expect(lena.locator("#launch-badge")).to_contain_text("Succeeded")
    launch.refresh_from_db()
    assert launch.credential is not None
    assert launch.credential.name == "Field's key"
    for path in ("flows/", "runs/", "connections/", "credentials/", "members/", "launch-rights/"):
        answer = lena.goto(f"/w/sales/{path}")
        assert answer is not None
        assert answer.status == 403, path

    # Elsewhere she signs in with an app's code; the workspace demands that from now on.
    secret = with_app(User.objects.get(username="lena"))
    Workspace.objects.update(second_factor_required=True)
    with_app(stage.users.owner)
    lena = window()
    lena.goto("/w/sales/")
    lena.get_by_label("Username or email address").fill("lena")
    lena.get_by_label("Password").first.fill(PASSWORD)
    lena.get_by_role("button", name="Sign in", exact=True).click()
    lena.locator("main input[name=code]").fill(code(secret))
    lena.locator("main form:has(input[name=code]) [type=submit]").first.click()
    expect(lena.locator("h1")).to_have_text("What you may launch")

    # From then on she signs in with a passkey alone.
    passkeys.device(lena)
    lena.goto("/accounts/passkeys/add/")
    lena.get_by_label("Password").first.fill(PASSWORD)
    lena.get_by_role("button", name="Continue", exact=True).click()
    lena.get_by_role("button", name="Add", exact=True).click()
    expect(lena.locator("h1")).to_have_text("Recovery codes")
    lena.goto("/accounts/logout/")
    lena.get_by_role("button", name="Sign out", exact=True).click()
    lena.goto("/w/sales/")
    lena.get_by_role("button", name="Sign in with a passkey").click()
    expect(lena.locator("h1")).to_have_text("What you may launch")

    # The second launch is the last one.
    lena.goto(f"/w/sales/flows/{flow}/launch/")
    lena.get_by_role("button", name="Launch", exact=True).click()
    lena.get_by_role("button", name="Launch again anyway").click()
    expect(lena.locator("h1")).to_contain_text("Launch of Order intake")
    lena.goto(f"/w/sales/flows/{flow}/launch/")
    expect(lena.locator("main")).to_contain_text("Your right to launch this flow has ended")
    # Another right ends by its date.
    right = LaunchRight.objects.create(
        workspace=stage.users.workspace,
        flow_id=flow,
        flow_name="Order intake",
        team=Group.objects.get(),
        until=timezone.now() + timedelta(hours=1),
    )
    lena.goto("/w/sales/")
    expect(lena.get_by_role("link", name="Order intake")).to_be_visible()
    LaunchRight.objects.filter(pk=right.pk).update(until=timezone.now())
    lena.goto("/w/sales/")
    expect(lena.locator("main")).to_contain_text("cannot launch anything at the moment")
    # The manager sees it all.
    manager.goto("/w/sales/audit/")
    for words in ("Invited a colleague", "Gave a launch right", "Accepted an invitation", "Launched a flow"):
        expect(manager.locator("main")).to_contain_text(words)
    expect(manager.locator("main")).to_contain_text("lena")
    assert AuditEvent.objects.filter(action="launch.ask", user__username="lena").count() == 2


@pytest.mark.slow
def test_the_pages_of_people_with_long_and_many_things_are_sound_in_every_look(stage: Scene, window: Window) -> None:
    flow = flows.make(stage.workflows, "Order intake")
    owner, team, space = stage.users.owner, Group.objects.get(), stage.users.workspace
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    keeper = User.objects.get(pk=owner.pk)
    Member.objects.create(workspace=space, team=team, role=Role.VIEWER)
    teams.add(Actor(keeper), team, stage.users.stranger)
    teams.make_owner(Actor(keeper), team, stage.users.stranger)
    LaunchRight.objects.create(workspace=space, flow_id=flow, flow_name="x" * 300, team=team, most_launches=5)
    LaunchRight.objects.create(workspace=space, flow_id=flow, flow_name="Over", user=owner, until=timezone.now())
    page = window(keeper, expected=REFUSED)
    page.goto("/w/sales/members/add/")
    page.get_by_label("A person").fill("a-long-address-of-somebody-new@some-subsidiary.example.com")
    offer = page.get_by_role(
        "button", name="Invite a-long-address-of-somebody-new@some-subsidiary.example.com by email"
    )
    expect(offer).to_be_visible()
    sound_in_every_look(page)
    offer.click()
    sound_in_every_look(page)
    link = page.locator("#invitation-link").inner_text()
    LaunchRight.objects.create(
        workspace=space, flow_id=flow, flow_name="y" * 300, invitation=ColleagueInvitation.objects.get()
    )
    for path in (
        "/people/?search=nobody@example.com",
        "/w/sales/members/",
        "/w/sales/launch-rights/",
        f"/w/sales/flows/{flow}/launch-rights/",
        f"/teams/{team.pk}/",
        f"/people/{stage.users.stranger.pk}/leaving/",
        link,
    ):
        page.goto(path)
        sound_in_every_look(page)
    guest = window()
    guest.goto(link)
    sound_in_every_look(guest)
    guest = window(stage.users.stranger)
    Member.objects.filter(team=team).delete()
    guest.goto("/w/sales/")
    sound_in_every_look(guest)


def test_what_somebody_has_is_handed_over_with_the_keyboard_alone(stage: Scene, window: Window) -> None:
    colleague, owner = stage.users.colleague, stage.users.owner
    page = window(owner, expected=REFUSED)
    page.goto("/w/sales/members/")
    page.get_by_label("Actions: colleague").press("Enter")
    page.get_by_role("link", name="Before they leave…").first.press("Enter")
    expect(page.get_by_role("heading", name="Before colleague leaves")).to_be_visible()
    page.get_by_role("button", name="Check what will happen").press("Enter")
    expect(page.get_by_text("Nothing is chosen yet")).to_be_visible()
    choice = page.get_by_label("What happens to Colleague's key")
    choice.focus()
    choice.press("o")  # the owner's name
    page.get_by_role("button", name="Check what will happen").press("Enter")
    expect(page.get_by_role("heading", name="Change 1 thing?")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_role("button", name="Back to the choices").press("Enter")
    expect(page.get_by_label("What happens to Colleague's key")).to_have_value(f"user-{owner.pk}")
    page.get_by_role("button", name="Check what will happen").press("Enter")
    page.get_by_role("button", name="Yes, change 1 thing").press("Enter")
    expect(page.get_by_text("1 handed over.")).to_be_visible()
    assert not Credential.objects.filter(owner=colleague).exists()


def test_somebody_with_another_address_asks_and_the_inviter_confirms(stage: Scene, window: Window) -> None:
    manager = window(stage.users.owner, expected=REFUSED)
    manager.goto("/w/sales/members/add/")
    manager.get_by_label("A person").fill("lena@example.com")
    manager.get_by_role("button", name="Invite lena@example.com by email").click()
    link = manager.locator("#invitation-link").inner_text()

    other = window(stage.users.stranger, expected=REFUSED)
    other.goto(link)
    expect(other.locator("h1")).to_have_text("This invitation is for another address")
    sound_in_every_look(other)
    other.get_by_role("button", name="Request confirmation").click()
    expect(other.locator("h1")).to_have_text("Waiting for confirmation")
    sound_in_every_look(other)

    manager.goto("/notices/")
    manager.get_by_role("button", name="stranger wants to use your invitation").click()
    expect(manager.locator("main")).to_contain_text("address here is stranger@example.com")
    sound_in_every_look(manager)
    manager.get_by_role("button", name="Confirm").click()
    expect(manager.locator("main")).to_contain_text("Accepted: stranger")
    other.goto("/w/sales/")
    expect(other).to_have_url(re.compile(r"/w/sales/$"))


def test_a_part_that_renews_itself_says_so_to_the_server(stage: Scene, window: Window) -> None:
    page = window(stage.users.owner)
    page.goto("/w/sales/flows/")
    page.locator("#bell").wait_for()
    sent = """name => {
        const detail = {elt: document.querySelector(name), verb: "get", formData: new FormData(), headers: {}};
        document.dispatchEvent(new CustomEvent("htmx:configRequest", {detail}));
        return detail.headers;
    }"""
    assert page.evaluate(sent, "#bell") == {"X-Live": "1"}
    assert page.evaluate(sent, "main") == {}


def test_a_person_is_found_by_part_of_a_name_with_the_keyboard(stage: Scene, window: Window) -> None:
    linh = person("linh.pham")
    User.objects.filter(pk=linh.pk).update(first_name="Phạm", last_name="Thị Linh")
    other = Workspace.objects.create(slug="hr", name="HR", flavour="activepieces", address="http://127.0.0.1:9/api")
    for who in (stage.users.owner, linh):
        Member.objects.create(workspace=other, user=who, role=Role.VIEWER)
    page = window(stage.users.owner, expected=REFUSED)
    page.goto("/w/sales/members/")
    page.get_by_role("link", name="Add people").click()
    field = page.get_by_label("A person")
    field.fill("nobody")
    field.press("Enter")
    expect(page.get_by_text("No one with this username or email address has an account here.")).to_be_visible()
    field.fill("")
    field.press_sequentially("thi li")
    expect(page.get_by_role("option", name="Phạm Thị Linh")).to_be_visible()
    sound_in_every_look(page)
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("linh.pham")
    expect(page.locator("[data-person]")).to_have_count(0)
    field.press("Enter")
    expect(page.get_by_text("Phạm Thị Linh now belongs to the workspace.")).to_be_visible()
