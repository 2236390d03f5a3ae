"""Whatever stands in an answer of the engine: no page ends as an error of our own."""

from collections.abc import Iterable

import pytest
from django.test import Client
from hypothesis import given, settings, strategies as st

from tests.attacks.poison import PoisonedEngine
from tests.fuzz.asking import FRAGMENT, answered, few_or_many, rounds
from tests.fuzz.odd import changed
from tests.practice_engine.fixtures import Practice, practice
from tests.users import gather, workspace
from workflows_ui.engine import close_pools
from workflows_ui.resources import RESOURCES

__all__ = ["practice"]
pytestmark = [pytest.mark.django_db]
#: Pages that show what the engine said.
PAGES = (
    "",
    *(f"{resource.name}/" for resource in RESOURCES),
    "launches/",
    "abilities/",
    "flows/{flow}/",
    "flows/{flow}/launch/",
    "flows/{flow}/form/",
    "runs/{run}/",
    "tables/{table}/",
    "tables/{table}/records/",
    "connections/{connection}/",
    "runs/?status=FAILED",
    "pieces/%40activepieces%2Fpiece-webhook/",
)


@pytest.mark.slow
@few_or_many
def test_no_answer_of_the_engine_leads_to_an_error_of_our_own(practice: Practice, run: settings) -> None:
    _answers(practice, [run])


@pytest.mark.chaos
@pytest.mark.timeout(0)
def test_answers_drawn_for_half_an_hour_lead_to_no_error_of_our_own(practice: Practice) -> None:
    _answers(practice, rounds())


def _answers(practice: Practice, runs: Iterable[settings]) -> None:
    given_ids = practice.credentials
    seed = 0
    with PoisonedEngine(practice, lambda value: changed(value, seed)) as engine:
        space = workspace("sales", address=f"{engine.url}/api", project=given_ids.project_id)
        users = gather(space, given_ids.bearer_token)
        browser = Client(raise_request_exception=False)
        browser.force_login(users.owner)
        flow = practice.sample("orders").id
        project = f"projectId={given_ids.project_id}"
        ids = {
            "flow": flow,
            "run": practice.runs(flow)[0]["id"],
            "table": practice.call("GET", f"/v1/tables?{project}").json()["data"][0]["id"],
            "connection": practice.call("GET", f"/v1/app-connections?{project}").json()["data"][0]["id"],
        }

        def look(page: str, number: int, fragment: bool) -> None:
            nonlocal seed
            seed = number
            answered(
                browser, lambda: browser.get(f"/w/sales/{page.format(**ids)}", headers=FRAGMENT if fragment else {})
            )

        drawn = given(page=st.sampled_from(PAGES), number=st.integers(0, 2**32), fragment=st.booleans())
        for run in runs:
            run(drawn(look))()
    close_pools()
