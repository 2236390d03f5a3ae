"""Testing a connection: the app is asked for choices of one of its fields, which it gives only to an account that works (api.md 11.5).

The engine has no call that tests a connection after it was made. Nothing is changed by the question.
"""

from collections.abc import Mapping

from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core.paths import text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.pieces import Piece
from workflows_ui.pieces import apps, connections as connection_list, options
from workflows_ui.resource_admin.actions import LastingText
from workflows_ui.resource_admin.resource import Action, Row, Text

_UNTESTABLE = _(
    "This app has no list that could be loaded with the connection, so it cannot be tested from here. Test a step that uses it instead."
)


def _question(session: EngineSession, row: Row) -> options.OptionsRequest | None:
    """The field to ask for: one with choices that need an account and no other value. Raises EngineError."""
    piece = Piece(apps.piece(session, text_at(row, "pieceName")))
    fields = options.asked_fields(piece).values()
    return next((field for field in fields if field.tests_account), None)


def _why_not(session: EngineSession, row: Row) -> Text:
    return "" if _question(session, row) else _UNTESTABLE


def _test(session: EngineSession, id: str, _typed: Mapping[str, object]) -> dict[str, object]:
    """`refused`: why the app gave no choices, "" if it did; `total`: how many. Raises EngineError, ValidationError without a flow."""
    row = connection_list.find_connection(session, id)
    field = _question(session, row)
    if field is None:
        return {"refused": str(_UNTESTABLE)}
    piece = Piece(apps.piece(session, text_at(row, "pieceName")))
    answer = options.ask(session, piece, field, {"connection": text_at(row, "externalId")})
    return {"refused": str(answer.refused), "field": field.label, "total": answer.total}


def _done(_row: Row, answer: Mapping[str, object]) -> Text:
    if refused := str(answer["refused"]):
        return LastingText(refused)
    values = {"field": str(answer["field"])[:80], "total": answer["total"]}
    return gettext("The connection works: the app answered with %(total)s choices for “%(field)s”.") % values


TEST = Action(
    name="test",
    label=_("Test"),
    icon="plug-zap",
    run=_test,
    visible=lambda row: bool(row.get("externalId")) and row.get("type") != "NO_AUTH",
    disabled_reason=_why_not,
    done=_done,
)
