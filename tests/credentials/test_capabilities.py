"""What an engine can do: harmless reads, what each refusal says and does not say, once a day however many clocks there are."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests import users as people
from tests.practice_engine.fixtures import Practice
from tests.users import credential, gather, workspace
from workflows_ui.accounts.models import User
from workflows_ui.credentials.models import Ability, Capability, Credential, CredentialKind, Inspection
from workflows_ui.credentials.services import capabilities
from workflows_ui.engine import EngineError, Forbidden, NoRoute, NotFound, NotInPlan, Unavailable
from workflows_ui.engine.transport import close_pools
from workflows_ui.members.models import Flavour, Workspace

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]

#: One call a capability, one for the engine's flags, and a second one where a route has moved between versions.
MOST_CALLS = len(capabilities.PROBES) + 2


@pytest.fixture
def plain(db: None, practice: Practice) -> Iterator[Workspace]:
    """A workspace on a plain Activepieces."""
    place = workspace("sales", address=f"{practice.url}/api", project=practice.credentials.project_id)
    yield gather(place, practice.credentials.bearer_token).workspace
    close_pools()


@pytest.fixture
def imbrace(db: None, practice: Practice) -> Iterator[Workspace]:
    """A workspace on Imbrace's gateway."""
    place = workspace(
        "sales",
        flavour=Flavour.IMBRACE,
        address=f"{practice.url}/imbrace",
        project=practice.credentials.project_id,
    )
    yield gather(place, practice.credentials.api_key, kind=CredentialKind.API_KEY).workspace
    close_pools()


def states(place: Workspace) -> dict[str, str]:
    return dict(Capability.objects.filter(workspace=place).values_list("name", "state"))


def wait_over(place: Workspace) -> None:
    """The time of the next look has come."""
    Inspection.objects.filter(pk=place.pk).update(due_at=timezone.now() - timedelta(seconds=1))


# --- What a new credential may do


def test_a_look_for_a_new_credential_shows_what_it_may_do(plain: Workspace) -> None:
    mine = Credential.objects.filter(workspace=plain).order_by("created_at").first()
    assert mine is not None
    Credential.objects.filter(pk=mine.pk).update(findings={"who": "Lan"})
    capabilities.request_inspection(mine)
    capabilities.inspect(plain.pk)
    mine.refresh_from_db()
    assert mine.findings == {"who": "Lan", "may": list(capabilities.MAY), "may_not": []}
    # Nobody asked: nothing is written into anybody's findings.
    Credential.objects.update(findings={})
    wait_over(plain)
    capabilities.inspect(plain.pk)
    assert not Credential.objects.exclude(findings={}).exists()


def test_a_look_for_a_credential_that_is_refused_says_nothing_of_what_it_may_do(
    plain: Workspace,
    practice: Practice,
) -> None:
    owner = Credential.objects.filter(workspace=plain).values_list("owner__username", flat=True).first()
    bad = credential(plain, User.objects.get(username=owner), "no-such-token", name="Bad")
    capabilities.request_inspection(bad)
    capabilities.inspect(plain.pk)
    bad.refresh_from_db()
    assert bad.findings == {}


# --- What is seen


def test_a_plain_activepieces_has_neither_channels_nor_invitations_to_a_personal_project(plain: Workspace) -> None:
    capabilities.inspect(plain.pk)
    found = states(plain)
    assert set(found) == set(capabilities.PROBES)
    assert {name for name, state in found.items() if state != Ability.YES} == {
        "channel-automations",
        "project-invitations",
    }
    assert capabilities.read_capabilities(plain).get("channel-automations") is Ability.NO
    assert capabilities.read_capabilities(plain).get("flows") is None


def test_a_gateway_has_them_all(imbrace: Workspace) -> None:
    capabilities.inspect(imbrace.pk)
    assert set(states(imbrace).values()) == {Ability.YES}


def test_looking_only_reads_and_never_touches_a_route_of_many(plain: Workspace, practice: Practice) -> None:
    capabilities.inspect(plain.pk)
    received = practice.journal.all()
    assert {one.method for one in received} == {"GET"}
    assert len(received) <= MOST_CALLS


def test_an_older_build_and_a_smaller_plan_are_distinguished(plain: Workspace, practice: Practice) -> None:
    # Both generations of the route are gone.
    practice.engine.settings.missing_routes = ["/v1/mcp-servers", f"/v1/projects/{plain.project_id}/mcp-server"]
    practice.engine.settings.not_in_plan = ["/v1/tables"]
    capabilities.inspect(plain.pk)
    found = capabilities.read_capabilities(plain)
    assert (found.get("mcp-servers"), found.get("tables")) == (Ability.NO, Ability.NOT_IN_PLAN)
    row = Capability.objects.get(workspace=plain, name="tables")
    assert (row.status, row.code) == (402, "FEATURE_DISABLED")
    assert row.credential is not None


def test_what_the_engine_gets_later_is_found_by_the_next_look(plain: Workspace, practice: Practice) -> None:
    practice.engine.settings.missing_routes = ["/v1/mcp-servers"]
    capabilities.inspect(plain.pk)
    practice.engine.settings.missing_routes = []
    wait_over(plain)
    capabilities.inspect(plain.pk)
    assert capabilities.read_capabilities(plain).get("mcp-servers") is None


def test_what_one_credential_may_not_see_is_asked_of_the_next_and_hidden_from_nobody(
    plain: Workspace,
    practice: Practice,
) -> None:
    practice.engine.faults.add(kind="status", path="/v1/tables", status=403, times=1)
    capabilities.inspect(plain.pk)
    assert states(plain)["tables"] == Ability.YES
    practice.engine.faults.add(kind="status", path="/v1/tables", status=403)
    wait_over(plain)
    capabilities.inspect(plain.pk)
    assert states(plain)["tables"] == Ability.YES


def test_an_engine_that_is_down_leaves_what_was_known_and_is_asked_again_soon(plain: Workspace) -> None:
    capabilities.inspect(plain.pk)
    before = states(plain)
    people.move(plain, address="http://127.0.0.1:9/api")
    wait_over(plain)
    capabilities.inspect(plain.pk)
    row = Inspection.objects.get(pk=plain.pk)
    assert states(plain) == before
    assert (row.failures, row.lease_until) == (1, None)
    assert timedelta() < row.due_at - timezone.now() <= capabilities.AGAIN
    wait_over(plain)
    capabilities.inspect(plain.pk)
    assert Inspection.objects.get(pk=plain.pk).failures == 2


def test_a_credential_that_is_refused_gives_way_to_another(plain: Workspace, practice: Practice) -> None:
    owner = Credential.objects.order_by("created_at").last()
    assert owner is not None
    bad = credential(plain, owner.owner, "no-such-token", name="Bad")
    capabilities.request_inspection(bad)
    capabilities.inspect(plain.pk)
    assert states(plain)["flows"] == Ability.YES


# --- When it is looked at


def test_any_number_of_clocks_look_once_a_day(plain: Workspace, practice: Practice) -> None:
    assert capabilities.due() == [plain.pk]
    for _clock in range(3):
        capabilities.inspect(plain.pk)
    asked = len(practice.journal.all())
    assert asked <= MOST_CALLS
    assert capabilities.due() == []
    wait_over(plain)
    assert capabilities.due() == [plain.pk]


def test_a_look_that_hangs_is_left_alone_until_its_lease_ends(plain: Workspace, practice: Practice) -> None:
    now = timezone.now()
    Inspection.objects.create(workspace=plain, due_at=now, lease_until=now + timedelta(minutes=1))
    capabilities.inspect(plain.pk)
    assert (capabilities.due(), practice.journal.all()) == ([], [])
    Inspection.objects.update(lease_until=now - timedelta(seconds=1))
    assert capabilities.due() == [plain.pk]
    capabilities.inspect(plain.pk)
    assert states(plain)


def test_a_workspace_without_a_credential_waits(plain: Workspace) -> None:
    Credential.objects.all().delete()
    assert capabilities.due() == []
    capabilities.inspect(plain.pk)
    assert states(plain) == {}


def test_a_tested_credential_has_the_engine_looked_at_again(plain: Workspace) -> None:
    capabilities.inspect(plain.pk)
    assert capabilities.request_inspection(Credential.objects.all()[0]) == plain.pk
    assert capabilities.due() == [plain.pk]


def test_a_workspace_that_is_gone_is_no_mistake(db: None) -> None:
    capabilities.inspect(987654)


# --- What is learnt in use


def refusal(kind: type[EngineError], message: str = "no", **more: Any) -> EngineError:
    return kind(message, **{"status": 404, **more})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal(NotInPlan, status=402, code="FEATURE_DISABLED"), Ability.NOT_IN_PLAN),
        (refusal(NotInPlan, status=402), Ability.NOT_IN_PLAN),
        (refusal(NoRoute, "Route not found"), Ability.NO),
        (refusal(NoRoute, "Route POST:/v1/flow-runs/x/retry not found"), Ability.NO),
        (refusal(NotFound, "no channels", status=None, code="NOT_ON_THIS_ENGINE"), Ability.NO),
        (refusal(NotInPlan, status=402, code="QUOTA_EXCEEDED"), None),
        (refusal(NotFound, "gone", code="ENTITY_NOT_FOUND"), None),
        (refusal(NotFound, "Not Found"), None),
        (refusal(Forbidden, status=403, code="PERMISSION_DENIED"), None),
        (refusal(Unavailable, status=502), None),
    ],
)
def test_only_a_refusal_of_the_engine_itself_is_learnt(
    plain: Workspace, error: EngineError, expected: Ability | None
) -> None:
    key = str(Credential.objects.all()[0].pk)
    assert capabilities.learn(plain, key, "run-retry", error) is expected
    assert capabilities.read_capabilities(plain).get("run-retry") is expected


def test_what_works_after_all_is_no_longer_lacking(plain: Workspace) -> None:
    key = str(Credential.objects.all()[0].pk)
    capabilities.learn(plain, key, "run-retry", refusal(NotInPlan, status=402))
    capabilities.learn(plain, key, "run-retry")
    assert capabilities.read_capabilities(plain).get("run-retry") is None


def test_what_no_read_shows_is_open_again_after_a_persons_look_and_after_a_week(plain: Workspace) -> None:
    mine = Credential.objects.select_related("workspace")[0]
    capabilities.learn(plain, str(mine.pk), "run-retry", refusal(NotInPlan, status=402))
    capabilities.inspect(plain.pk)
    assert capabilities.read_capabilities(plain).get("run-retry") is Ability.NOT_IN_PLAN
    Capability.objects.filter(name="run-retry").update(checked_at=timezone.now() - timedelta(days=8))
    wait_over(plain)
    capabilities.inspect(plain.pk)
    assert capabilities.read_capabilities(plain).get("run-retry") is None
    capabilities.learn(plain, str(mine.pk), "run-retry", refusal(NotInPlan, status=402))
    capabilities.inspect_now(plain, mine)
    assert capabilities.read_capabilities(plain).get("run-retry") is None


def test_one_bad_answer_closes_nothing_for_a_whole_day(plain: Workspace) -> None:
    capabilities.inspect(plain.pk)
    key = str(Credential.objects.all()[0].pk)
    capabilities.learn(plain, key, "connections", refusal(NoRoute, "Route not found"))
    assert capabilities.read_capabilities(plain).get("connections") is Ability.NO
    assert Inspection.objects.get(pk=plain.pk).due_at < timezone.now() + timedelta(minutes=6)
    wait_over(plain)
    capabilities.inspect(plain.pk)
    assert capabilities.read_capabilities(plain).get("connections") is None


def test_names_that_do_not_exist_are_not_kept(plain: Workspace) -> None:
    assert capabilities.learn(plain, "", "flying", refusal(NotInPlan, status=402)) is None
    assert states(plain) == {}
