"""docs/engines.md says for each operation of the client what backs it on each engine, as recordings and client are today."""

from tests.operations import engines


def test_the_page_is_as_the_client_and_the_recordings_are_today() -> None:
    assert engines.PAGE.read_text(encoding="utf-8") == engines.page(), "run `python -m tests.operations.engines`"


def test_every_public_method_of_the_client_has_a_row() -> None:
    text = engines.PAGE.read_text(encoding="utf-8")
    for kind, name in engines.methods():
        assert f"\n| `{name}` | " in text, kind


def test_paths_are_compared_without_ids_and_names() -> None:
    assert engines.template("/v1/flows/<id:12>/versions?limit=1") == "/v1/flows/{id}/versions"
    assert engines.template(f"/v1/flow-runs/{'a' * 21}") == "/v1/flow-runs/{id}"
    assert engines.template("/v1/users/projects/current") == "/v1/users/projects/current"
    assert engines.template("/v1/pieces/@activepieces/piece-http") == "/v1/pieces/{name}"
    assert engines.template("/v1/pieces/options") == "/v1/pieces/options"


def test_a_method_is_backed_only_by_recordings_of_the_call_that_it_sends() -> None:
    """The user is asked for by another route on each version, and one of them has no route for a single connection."""
    old, new, imbrace = engines.engines()
    assert "`users_me`" in engines.cell(old, "get_current_user")
    assert "`user_get_by_id`" in engines.cell(new, "get_current_user")
    assert engines.cell(new, "get_connection") == "not on this engine (`conn_get_by_id_route`)"
    assert engines.cell(imbrace, "get_connection").startswith("by contract (")
    assert engines.cell(old, "get_account") == "not on this engine"


def test_a_method_rests_on_what_its_own_docstring_names_before_that_of_its_module() -> None:
    module = "Invitations (api.md section 15)."
    assert engines.source("Deletes one (api.md 6.4).", module) == "by contract (api.md 6.4)"
    assert engines.source("Not recorded; by the engine's source.", module) == "by the engine's source"
    assert engines.source("Not confirmed.", module) == "not confirmed"
    assert engines.source("Deletes one.", module) == "by contract (api.md 15)"
    assert engines.source("Deletes one.", "") == ""
