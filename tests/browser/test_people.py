"""From an invitation to the end of a right, in a real browser: the launcher signs in with an app's code and with a passkey, launches with
the team's key and sees nothing else."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from tests import flows
from tests.browser import passkeys
from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.pages.launch_scene import Scene
from tests.people.sign_in import code, with_app
from workflows_ui.models import AuditEvent, Credential, Launch, LaunchRight, Member, Role, User, Workspace
from workflows_ui.services import sending, teams
from workflows_ui.services.audit import Actor

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
    shared = Credential(workspace=made.cast.workspace, team=team, name="Field's key", kind=made.cast.credential.kind)
    shared.secret = shared.seal("secret", made.cast.credential.open("secret"))
    shared.save()
    yield made
    made.close()


def test_an_invited_launcher_launches_one_flow_with_the_teams_key_and_sees_nothing_else(
    stage: Scene, window: Window
) -> None:
    flow = flows.make(stage.workflows, "Order intake", flows.code("echo", given="{{trigger.body}}"))
    flows.make(stage.workflows, "Payroll", flows.code("echo", given="{{trigger.body}}"))

    manager = window(stage.cast.owner, expected=REFUSED)
    manager.goto("/w/sales/members/")
    manager.get_by_role("link", name="Invite a colleague").click()
    manager.get_by_label("E-mail address").fill("lena@example.com")
    manager.get_by_label("Role").select_option(label="No role: only what their teams open")
    manager.get_by_label("Field").check()
    manager.get_by_role("button", name="Make the invitation").click()
    link = manager.locator("#invitation-link").inner_text()
    manager.goto(f"/w/sales/flows/{flow}/")
    manager.locator("#page-actions summary").click()
    manager.locator("#page-actions").get_by_role("link", name="Launch rights").click()
    manager.get_by_label("Or a team").select_option(label="Field")
    manager.get_by_label("At most so many launches").fill("2")
    until = timezone.localtime(timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT18:00")
    manager.get_by_label("Until").fill(until)
    manager.get_by_role("button", name="Give the right").click()
    expect(manager.locator("main table").first).to_contain_text("0 of 2 launches used")

    lena = window()
    lena.goto(link)
    expect(lena.locator("#invited-address")).to_have_text("lena@example.com")
    lena.get_by_label("User name").fill("lena")
    lena.get_by_label("Password", exact=False).first.fill(PASSWORD)
    lena.get_by_label("Password once more").fill(PASSWORD)
    lena.get_by_role("button", name="Make the account and join").click()
    expect(lena.locator("h1")).to_have_text("What you may launch")
    expect(lena.locator("main")).not_to_contain_text("Payroll")
    expect(lena.locator("#sidebar-menu")).not_to_contain_text("Flows")
    lena.get_by_role("link", name="Order intake").click()
    lena.get_by_role("button", name="Launch", exact=True).click()
    expect(lena.locator("h1")).to_contain_text("Launch of Order intake")
    launch = Launch.objects.get()
    sending.send(launch.pk)
    stage.watch(launch)
    expect(lena.locator("#launch-badge")).to_contain_text("Done")
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
    with_app(stage.cast.owner)
    lena = window()
    lena.goto("/w/sales/")
    lena.get_by_label("User name or e-mail address").fill("lena")
    lena.get_by_label("Password").first.fill(PASSWORD)
    lena.get_by_role("button", name="Sign in", exact=True).click()
    lena.locator("main input[name=code]").fill(code(secret))
    lena.locator("main form:has(input[name=code]) [type=submit]").first.click()
    expect(lena.locator("h1")).to_have_text("What you may launch")

    # From then on she signs in with a passkey alone.
    passkeys.device(lena)
    lena.goto("/accounts/passkeys/add/")
    lena.get_by_label("Password").first.fill(PASSWORD)
    lena.get_by_role("button", name="Go on", exact=True).click()
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
        workspace=stage.cast.workspace,
        flow_id=flow,
        flow_name="Order intake",
        team=Group.objects.get(),
        until=timezone.now() + timedelta(hours=1),
    )
    lena.goto("/w/sales/")
    expect(lena.get_by_role("link", name="Order intake")).to_be_visible()
    LaunchRight.objects.filter(pk=right.pk).update(until=timezone.now())
    lena.goto("/w/sales/")
    expect(lena.locator("main")).to_contain_text("nothing you may launch at the moment")
    # The manager sees it all.
    manager.goto("/w/sales/audit/")
    for words in ("Invited a colleague", "Gave a right to launch", "Accepted an invitation", "Launched a flow"):
        expect(manager.locator("main")).to_contain_text(words)
    expect(manager.locator("main")).to_contain_text("lena")
    assert AuditEvent.objects.filter(action="launch.ask", user__username="lena").count() == 2


def test_the_pages_of_people_are_sound_in_every_look(stage: Scene, window: Window) -> None:
    flow = flows.make(stage.workflows, "Order intake")
    owner, team, space = stage.cast.owner, Group.objects.get(), stage.cast.workspace
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    keeper = User.objects.get(pk=owner.pk)
    Member.objects.create(workspace=space, team=team, role=Role.VIEWER)
    teams.add(Actor(keeper), team, stage.cast.stranger)
    teams.make_owner(Actor(keeper), team, stage.cast.stranger)
    right = LaunchRight.objects.create(workspace=space, flow_id=flow, flow_name="x" * 300, team=team, most_launches=5)
    LaunchRight.objects.create(workspace=space, flow_id=flow, flow_name="Over", user=owner, until=timezone.now())
    page = window(keeper, expected=REFUSED)
    page.goto("/w/sales/members/invite/")
    sound_in_every_look(page)
    page.get_by_label("E-mail address").fill("a-long-address-of-somebody-new@some-subsidiary.example.com")
    page.get_by_role("button", name="Make the invitation").click()
    sound_in_every_look(page)
    link = page.locator("#invitation-link").inner_text()
    for path in (
        "/w/sales/members/",
        "/w/sales/launch-rights/",
        "/w/sales/launch-rights/give/",
        f"/w/sales/flows/{flow}/launch-rights/",
        f"/w/sales/launch-rights/{right.pk}/change/",
        f"/w/sales/launch-rights/{right.pk}/revoke/",
        "/teams/",
        "/teams/new/",
        f"/teams/{team.pk}/",
        f"/teams/{team.pk}/delete/",
        "/people/",
        f"/people/{stage.cast.stranger.pk}/",
        f"/people/{stage.cast.stranger.pk}/deactivate/",
        link,
    ):
        page.goto(path)
        sound_in_every_look(page)
    guest = window()
    guest.goto(link)
    sound_in_every_look(guest)
    guest = window(stage.cast.stranger)
    Member.objects.filter(team=team).delete()
    guest.goto("/w/sales/")
    sound_in_every_look(guest)
