"""Every list with an empty result, with and without a run index."""

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.resources import samples
from tests.run_index.index_scene import read_all, start
from tests.stage import Stage, stage
from workflows_ui.lists.listing import LATE
from workflows_ui.members.models import Flavour
from workflows_ui.resources import RESOURCES

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]


def local_lists(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[str]:
    """The addresses of the console's own lists: views named `listing` that need a workspace at most."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            yield from local_lists(pattern.url_patterns)
        elif getattr(pattern.callback, "__name__", "") == "listing" and pattern.name:
            if not (parameters := set(pattern.pattern.converters) - {"slug"}):
                yield reverse(pattern.name, args=["sales"] if pattern.pattern.converters else [])
            assert parameters <= {"resource", "id", "table", "flow"}, pattern.name


@pytest.mark.slow
@pytest.mark.parametrize("indexed", [False, True], ids=["without an index", "with an index"])
def test_every_list_and_the_search_answer_when_nothing_is_found(stage: Stage, indexed: bool) -> None:
    stage.users.owner.is_superuser = True
    stage.users.owner.save()
    if indexed:
        start(stage)
        read_all(stage)
    kinds = [kind for kind in RESOURCES if samples.sample_for(kind).flavour != Flavour.IMBRACE]
    addresses = [kind.url("sales") for kind in kinds]
    addresses += [f"{kind.url('sales')}?{kind.search_field}=nothing" for kind in kinds if kind.search_field]
    addresses += [*local_lists(), reverse("search", args=["sales"]) + "?q=nothing"]
    state = stage.practice.engine.state
    with state.lock:
        for rows in (state.flows, state.runs, state.tables, state.folders, state.connections):
            rows.clear()
    for address in addresses:
        assert stage.browser.get(address).status_code == 200, address
        # Some of a page is left to a second request.
        late = f"{address}{'&' if '?' in address else '?'}{LATE}=1"
        assert stage.browser.get(late).status_code == 200, address
