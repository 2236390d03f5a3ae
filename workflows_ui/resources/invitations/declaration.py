"""Invitations into the engine: the invited people, and revoking an invitation (api.md section 15).

The engine requires the kind: invitations into this workspace, or into the whole engine. The latter span all
organizations on it and are therefore for managers only.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Literal

from django import forms
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.paths import text_at
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Message
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound, errors as engine
from workflows_ui.lists.filters import choice_field, state_field
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.resource import Action, Affected, Bulk, Column, Page, Query, Resource, Row, Text
from workflows_ui.web.messages import engine_badge, error_message

#: Kinds, by the engine's names.
WORKSPACE: Final = "PROJECT"
EVERYWHERE: Final = "PLATFORM"
Kind = Literal["PROJECT", "PLATFORM"]
#: Invitations per call when one is searched by its id, and calls: the engine has no call for a single one.
_MOST, _CHUNKS = 500, 10
STATES: dict[str, Badge] = {
    "PENDING": Badge(pgettext_lazy("invitation", "Waiting for an answer"), "clock", "blue"),
    "ACCEPTED": Badge(pgettext_lazy("invitation", "Accepted"), "circle-check", "green"),
}
_ROLES: dict[str, Text] = {
    "ADMIN": pgettext_lazy("engine role", "Administrator"),
    "MEMBER": pgettext_lazy("engine role", "Member"),
    "OPERATOR": pgettext_lazy("engine role", "Operator"),
}
_NO_TEAM = Message(
    _("This workspace has no invitations"),
    _("To the engine it is one person's own project: others cannot be invited into it."),
)
_NOT_GIVEN = Message(
    _("The engine does not show its invitations"),
    _("Its plan does not include them, or the credential has no access to them."),
    _("Ask the engine's administrator, or use a credential with more rights."),
)
_OF_OTHERS = _("These invitations span all organizations on the engine. Revoke only those that you know are yours.")


class InvitationFilters(forms.Form):
    """Filters of the list; the engine applies them."""

    type = choice_field(_("Into"), {EVERYWHERE: _("The whole engine")}, empty=_("This workspace"))
    status = state_field(STATES)


def state(row: Row) -> Badge:
    return engine_badge(STATES, row.get("status"))


def _role(row: Row) -> Text:
    role = text_at(row, "platformRole")
    return _ROLES.get(role, role[:60]) if role else text_at(row, "projectRole.name")


def _scope(row: Row) -> Text:
    return {WORKSPACE: _("This workspace"), EVERYWHERE: _("The whole engine")}.get(str(row.get("type")), "")


def _would_go(row: Row) -> Text:
    if row.get("status") == "ACCEPTED":
        text = _(
            "%(email)s has already accepted and stays a member. Only the entry is removed; the list no "
            "longer shows who was invited."
        )
    else:
        text = _("%(email)s can no longer join with the invitation that was sent. A new one can be sent later.")
    return text % {"email": text_at(row, "email")[:100] or _("this person")}


def _platform_impact(_session: EngineSession, row: Row) -> Affected | None:
    if row.get("type") != EVERYWHERE:
        return None
    return Affected(
        _("It is an invitation onto the whole engine: it may belong to another organization. Ask before you revoke it.")
    )


class Invitations(Resource):
    name = "invitations"
    label, label_plural = _("Invitation"), _("Invitations")
    icon, group, menu_order = "mail-open", "team", 10
    batch_size = whole_lists.AT_ONCE
    empty = _("No open invitations to this workspace")
    empty_hint = _("People are invited in Imbrace or in the engine itself. Here you can see and revoke invitations.")
    title_path = "email"
    secrets = frozenset({"link", "token"})
    filters = InvitationFilters
    #: The engine has no call for a single one.
    recipe = (
        f"/v1/user-invitations?type=PROJECT&limit={_MOST}",
        f'workflows.list_invitations("PROJECT", limit={_MOST})',
    )
    list_display = (
        Column(lambda row: text_at(row, "email") or _("No address"), _("Invited"), link=True, name="email"),
        Column(state, _("State"), kind="badge"),
        Column(_role, pgettext_lazy("invitation", "As"), phone=False),
        Column("created", pgettext_lazy("invitation", "Sent"), kind="when"),
    )
    details = (
        Column("email", _("Invited")),
        Column(_scope, _("Into")),
        Column(_role, pgettext_lazy("invitation", "As")),
        Column("created", pgettext_lazy("invitation", "Sent"), kind="when"),
        Column("updated", _("Updated"), kind="when"),
        Column("id", _("Engine ID"), kind="id"),
    )
    actions = (
        Action(
            name="delete",
            label=_("Revoke"),
            icon="user-x",
            run=lambda session, key, _data: session.workflows.delete_invitation(key),
            role=Role.MANAGER,
            needs="invitation-revoking",
            danger=True,
            confirm=_would_go,
            impact=_platform_impact,
            button=lambda row: _("Revoke the invitation of %(email)s") % {"email": formats.cut(text_at(row, "email"))},
            done=_("The invitation is revoked."),
            in_rows=True,
            bulk=Bulk(
                _(
                    "People who have not answered yet can no longer join with the invitation that was sent; a "
                    "new one can be sent later. People who accepted stay members: only the entry is removed."
                )
            ),
        ),
    )

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page, newest first. Raises NotAllowed if somebody other than a manager requests the whole engine's."""
        kind: Kind = EVERYWHERE if query.filters.get("type") == EVERYWHERE else WORKSPACE
        if kind == EVERYWHERE:
            session.require(Role.MANAGER)
        try:
            answer = session.workflows.list_invitations(
                kind, limit=self.batch_size, cursor=whole_lists.cursor(query), status=query.filters.get("status")
            )
        except (engine.NotInPlan, engine.Forbidden):
            return Page((), refused=_NOT_GIVEN)
        except engine.Refused as error:
            # A personal project refuses the list with 409 (recording `invites_list_project`).
            return Page((), refused=_NO_TEAM if error.status == 409 else error_message(error))
        return whole_lists.page_of(answer, query, warning=_OF_OTHERS if kind == EVERYWHERE else "")

    def get(self, session: EngineSession, id: str) -> Row:
        """The invitation, searched in the lists that the person may see. Raises NotFound, and the errors of the lists."""
        kinds: list[Kind] = [WORKSPACE, EVERYWHERE] if session.allows(Role.MANAGER) else [WORKSPACE]
        for kind in kinds:
            try:
                row = whole_lists.find(partial(session.workflows.list_invitations, kind, _MOST), id, _CHUNKS)
            except (engine.NotInPlan, engine.Forbidden, engine.Refused):
                continue
            if row is not None:
                return row
        raise NotFound("No list of invitations holds this id.", code="ENTITY_NOT_FOUND")

    def choices(self, session: EngineSession) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """Managers may choose the invitations into the whole engine."""
        return {"type": [(EVERYWHERE, _("The whole engine"))] if session.allows(Role.MANAGER) else []}
