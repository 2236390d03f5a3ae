"""Every address of the console, asked by everybody while the cache is away: none breaks. test_cache_away.py tries what people do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.cache_away import AWAY, cache_away
from tests.web import matrix
from tests.web.filled_workspace import Furnished, furnish, once

#: All of them where the cache hangs, those after the first by GET; who reaches most, where it is away in other ways.
EVERYBODY = ("manager", "launcher", "viewer", "signed out")


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Furnished]:
    with once(django_db_blocker) as engine:
        yield furnish(engine)


@pytest.mark.left_out
@pytest.mark.parametrize("how", AWAY)
@pytest.mark.django_db
@pytest.mark.timeout(300)
def test_every_address_answers_without_the_cache(stage: Furnished, how: str, tmp_path: Path) -> None:
    asked = [
        (who, method, address.url(stage.sales, who))
        for address in matrix.addresses()
        for who in (EVERYBODY if how == "hangs" else EVERYBODY[:1])
        for method in ("GET", "POST")[: 2 if who == EVERYBODY[0] else 1]
    ]
    with cache_away(how, tmp_path):
        answers = {one: matrix.answered(stage, *one).status_code for one in asked}
    assert [one for one, status in answers.items() if status == 500] == []
