"""Invitations into the engine: who was asked to join, and taking an invitation back (api.md section 15).

The engine wants to be told which kind: those into this workspace, or those onto the whole engine, which span all organizations on it
and are therefore for managers only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from workflows_ui.engine import NotFound
from workflows_ui.engine import errors as engine
from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import (
    Action,
    Affected,
    Bulk,
    Column,
    Facts,
    Page,
    Panel,
    Query,
    Resource,
    Row,
    Subject,
    Text,
)
from workflows_ui.kit.words import StateWord, Words, of_error
from workflows_ui.models import Role
from workflows_ui.resources import whole_lists

#: Kinds, in the engine's words.
WORKSPACE, EVERYWHERE = "PROJECT", "PLATFORM"
#: Invitations a call while one is looked for by its id, and calls: the engine has no call for one.
_MOST, _CHUNKS = 500, 10
STATES: dict[str, StateWord] = {
    "PENDING": StateWord(pgettext_lazy("invitation", "Waiting for an answer"), "clock", "blue", own="PENDING"),
    "ACCEPTED": StateWord(pgettext_lazy("invitation", "Accepted"), "circle-check", "green", own="ACCEPTED"),
}
_ROLES: dict[str, Text] = {
    "ADMIN": pgettext_lazy("engine role", "Administrator"),
    "MEMBER": pgettext_lazy("engine role", "Member"),
    "OPERATOR": pgettext_lazy("engine role", "Operator"),
}
_NO_TEAM = Words(
    _("This workspace has no invitations"),
    _("To the engine it is one person's own project: others cannot be invited into it."),
)
_NOT_GIVEN = Words(
    _("The engine does not show its invitations"),
    _("Its plan does not include them, or the credential does not reach them."),
    _("Ask whoever runs the engine, or use a credential with more rights."),
)


class InvitationFilters(forms.Form):
    """Filters of the list; the engine applies them."""

    type = forms.ChoiceField(
        label=_("Into"),
        required=False,
        choices=[("", _("This workspace")), (EVERYWHERE, _("The whole engine"))],
        widget=forms.Select({"class": "form-select"}),
    )
    status = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Any")), *((name, found.word) for name, found in STATES.items())],
        widget=forms.Select({"class": "form-select"}),
    )


def email(row: Row) -> str:
    """Who is invited."""
    found = row.get("email")
    return found if isinstance(found, str) else ""


def state(row: Row) -> StateWord:
    """An invitation's state in words; an unknown one is its own word, in grey."""
    found = row.get("status")
    name = found if isinstance(found, str) else ""
    return STATES.get(name) or StateWord(name[:60] or _("Not known"), "circle-question", "secondary")


def _role(row: Row) -> Text:
    found = row.get("platformRole")
    if isinstance(found, str) and found:
        return _ROLES.get(found, found[:60])
    held = row.get("projectRole")
    name = held.get("name") if isinstance(held, Mapping) else ""
    return name if isinstance(name, str) else ""


def _into(row: Row) -> Text:
    return {WORKSPACE: _("This workspace"), EVERYWHERE: _("The whole engine")}.get(str(row.get("type")), "")


def _would_go(row: Row) -> Text:
    words = {"email": email(row)[:100] or gettext("this person")}
    if row.get("status") == "ACCEPTED":
        return (
            gettext(
                "%(email)s has accepted already and stays a member. Only the entry is removed; it is no longer seen who was invited."
            )
            % words
        )
    return (
        gettext("%(email)s can no longer join with the invitation that was sent. A new one can be sent later.") % words
    )


def _reaches(_caller: Caller, row: Row) -> Affected | None:
    if row.get("type") != EVERYWHERE:
        return None
    return Affected(
        gettext(
            "It is an invitation onto the whole engine: it may belong to another organization. Ask before you revoke it."
        )
    )


def _revoke(caller: Caller, id: str, _typed: dict[str, Any]) -> None:
    caller.workflows.delete_invitation(id)


def _raw(subject: Subject) -> dict[str, Any]:
    return {"value": subject.object, "id": "raw", "title": _("The invitation as the engine lists it (JSON)")}


class Invitations(Resource):
    """Who was asked to join."""

    name = "invitations"
    label, label_plural = _("Invitation"), _("Invitations")
    icon, group = "envelope-open-text", "team"
    stride = whole_lists.AT_ONCE
    empty = _("Nobody is invited into this workspace")
    empty_hint = _("People are invited in Imbrace or in the engine itself. Here you see who was, and can revoke it.")
    secrets = frozenset({"link", "token"})
    filters = InvitationFilters
    list_display = (
        Column(lambda row: email(row) or _("No address"), _("Invited"), link=True),
        Column(state, _("State"), kind="badge"),
        Column(_role, pgettext_lazy("invitation", "As"), phone=False),
        Column("created", pgettext_lazy("invitation", "Sent"), kind="when"),
    )
    panels = (
        Facts(
            _("Facts"),
            (
                Column(email, _("Invited")),
                Column(_into, _("Into")),
                Column(_role, pgettext_lazy("invitation", "As")),
                Column("created", pgettext_lazy("invitation", "Sent"), kind="when"),
                Column("updated", _("Changed"), kind="when"),
                Column("id", _("Id in the engine"), kind="code"),
            ),
        ),
        Panel("", "kit/panels/raw.html", _raw),
    )
    actions = (
        Action(
            name="delete",
            label=_("Revoke"),
            icon="user-xmark",
            run=_revoke,
            role=Role.MANAGER,
            danger=True,
            confirm=_would_go,
            affected=_reaches,
            button=lambda row: _("Revoke the invitation of %(email)s") % {"email": show.cut(email(row))},
            done=_("The invitation is revoked."),
            in_rows=True,
            bulk=Bulk(
                _(
                    "Who has not answered yet can no longer join with the invitation that was sent; a new one can be sent later. Who has "
                    "accepted stays a member: only the entry is removed."
                )
            ),
        ),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """A page, newest first. NotAllowed where somebody else than a manager asks for the whole engine's."""
        kind: Any = query.filters.get("type") or WORKSPACE
        if kind == EVERYWHERE:
            caller.require(Role.MANAGER)
        try:
            answer = caller.workflows.list_invitations(
                kind, limit=self.stride, cursor=whole_lists.cursor(query), status=query.filters.get("status")
            )
        except (engine.NotInPlan, engine.Forbidden):
            return Page((), refused=_NOT_GIVEN)
        except engine.Refused as error:
            return Page((), refused=_no_team(error))
        warning: Text = ""
        if kind == EVERYWHERE:
            warning = _(
                "These invitations span all organizations on the engine. Revoke only those that you know to be yours."
            )
        rows = whole_lists.rows_of(answer)
        return whole_lists.page(rows, query, beyond=whole_lists.following(answer), warning=warning)

    def get(self, caller: Caller, id: str) -> Row:
        """The invitation, looked for in the lists that the person may see. Raises NotFound, and what the lists raise."""
        kinds = [WORKSPACE, EVERYWHERE] if caller.allows(Role.MANAGER) else [WORKSPACE]
        for kind in kinds:
            try:
                row = _find(caller, kind, id)
            except (engine.NotInPlan, engine.Forbidden, engine.Refused):
                continue
            if row is not None:
                return row
        raise NotFound("No list of invitations holds this id.", code="ENTITY_NOT_FOUND")

    def call(self, id: str) -> tuple[str, str, str]:
        """The call for the list of the workspace's own: there is none for one."""
        return (
            "GET",
            f"/v1/user-invitations?type=PROJECT&limit={_MOST}",
            f'workflows.list_invitations("PROJECT", limit={_MOST})',
        )

    def choices(self, caller: Caller) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """The whole engine's are offered to managers."""
        return {"type": [(EVERYWHERE, _("The whole engine"))] if caller.allows(Role.MANAGER) else []}

    def title(self, row: Row) -> str:
        """Who is invited."""
        return email(row)

    def badge(self, row: Row) -> StateWord:
        """Whether they came."""
        return state(row)


def _find(caller: Caller, kind: Any, id: str) -> Row | None:
    cursor: str | None = None
    for _number in range(_CHUNKS):
        page = caller.workflows.list_invitations(kind, limit=_MOST, cursor=cursor)
        rows: Sequence[Any] = page.get("data") or []
        found = next((row for row in rows if isinstance(row, dict) and row.get("id") == id), None)
        cursor = page.get("next") if isinstance(page.get("next"), str) else None
        if found is not None or not cursor:
            return found
    return None


def _no_team(error: engine.Refused) -> Words:
    """A personal project refuses the question with 409 `VALIDATION` (recording `invites_list_project`)."""
    return _NO_TEAM if error.status == 409 else of_error(error)
