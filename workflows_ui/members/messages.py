"""Texts for launch rights (limits, use and state), for the state of invitations, and for access requests."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypedDict

from django.utils import formats, timezone
from django.utils.translation import gettext as _, gettext_lazy, ngettext, pgettext, pgettext_lazy

from workflows_ui.core import formats as web_formats
from workflows_ui.core.text import Message, Text
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import (
    AccessRequest,
    ColleagueInvitation,
    InvitationRequest,
    LaunchRight,
    Role,
    Workspace,
)
from workflows_ui.members.services import invitations
from workflows_ui.web import navigation


def until(moment: datetime) -> str:
    """`Friday 18:00` within six days, else the date with its time."""
    if timedelta(0) <= moment - timezone.now() < timedelta(days=6):
        local = timezone.localtime(moment)
        return formats.date_format(local, pgettext("weekday and time, see Django's date filter", "l H:i"))
    return web_formats.exact(moment, seconds=False)


def limits(right: LaunchRight) -> str:
    """`until Friday 18:00, 7 of 20 launches used`; missing limits are stated, too."""
    parts = [_("until %(moment)s") % {"moment": until(right.until)} if right.until else _("without an end")]
    if right.most_launches is None:
        parts.append(ngettext("%(n)s launch so far", "%(n)s launches so far", right.used) % {"n": right.used})
    else:
        parts.append(
            ngettext("%(used)s of %(n)s launch used", "%(used)s of %(n)s launches used", right.most_launches)
            % {"used": right.used, "n": right.most_launches}
        )
    return ", ".join(parts)


def left(right: LaunchRight) -> str:
    """`3 of 20 launches left, until Friday 18:00`; "" for a right without limits."""
    parts = []
    if right.most_launches is not None:
        text = ngettext("%(left)s of %(n)s launch left", "%(left)s of %(n)s launches left", right.most_launches)
        parts.append(text % {"left": max(right.most_launches - right.used, 0), "n": right.most_launches})
    if right.until is not None:
        parts.append(_("until %(moment)s") % {"moment": until(right.until)})
    summary = ", ".join(parts)
    return summary[:1].upper() + summary[1:]


class RightStatus(TypedDict):
    """The status of a right: its limits, the label and colour of its state, and whether it can be used."""

    right: LaunchRight
    limits: str
    state: Text
    colour: str
    usable: bool


def describe_right(right: LaunchRight) -> RightStatus:
    now = timezone.now()
    state, colour = _right_state(right, now)
    return {"right": right, "limits": limits(right), "state": state, "colour": colour, "usable": right.usable(now)}


def _right_state(right: LaunchRight, now: datetime) -> tuple[Text, str]:
    if right.revoked_at is not None:
        return pgettext_lazy("launch right", "Revoked"), "secondary"
    if right.until is not None and right.until <= now:
        return pgettext_lazy("launch right", "Expired"), "secondary"
    if right.most_launches is not None and right.used >= right.most_launches:
        return pgettext_lazy("launch right", "Used up"), "secondary"
    if right.invitation_id is not None:
        return pgettext_lazy("launch right", "Invited"), "azure"
    return gettext_lazy("In force"), "green"


def describe_invitations(rows: Iterable[ColleagueInvitation]) -> list[dict[str, object]]:
    """Invitations with their statuses, in few queries.

    `open`: it can be revoked; `works`: its link can be used; `requests`: of people with another address that wait for a manager.
    """
    listed = list(rows)
    working = invitations.working_invitations(listed)
    waiting: dict[int, list[InvitationRequest]] = {}
    for request in invitations.undecided_requests(listed):
        waiting.setdefault(request.invitation_id, []).append(request)
    return [_status(row, row.pk in working, waiting.get(row.pk, [])) for row in listed]


def _status(row: ColleagueInvitation, works: bool, requests: list[InvitationRequest]) -> dict[str, object]:
    state, colour, more = _invitation_state(row, works)
    if works and requests:
        state, colour, more = _("Needs your confirmation"), "orange", ""
    return {
        "invitation": row,
        "role": role(row),
        "teams": [team.name for team in row.teams.all()],
        "state": state,
        "colour": colour,
        "more": more,
        "open": row.accepted_at is None and row.revoked_at is None,
        "works": works,
        "requests": requests,
        "rights": [describe_right(right) for right in _pending(row)],
    }


def role(row: ColleagueInvitation) -> Text:
    """The role that an invitation gives; without one, the flows that it lets launch, if it names any."""
    if row.role:
        return Role(row.role).label
    flows = [f"“{(right.flow_name or right.flow_id)[:80]}”" for right in _pending(row)]
    if flows:
        return _("guest who can launch %(flows)s") % {"flows": ", ".join(flows)}
    return gettext_lazy("no role, only what the teams give access to")


def _pending(row: ColleagueInvitation) -> list[LaunchRight]:
    """The rights that come with an invitation, from the rows that were loaded with it."""
    return [right for right in row.launch_rights.all() if right.revoked_at is None]


def _invitation_state(row: ColleagueInvitation, works: bool) -> tuple[Text, str, str]:
    if row.accepted_at is not None:
        name = row.accepted_by.label if row.accepted_by else ""
        return pgettext_lazy("invitation", "Accepted"), "green", name
    if row.revoked_at is not None:
        return pgettext_lazy("invitation", "Revoked"), "secondary", ""
    if row.expires_at <= timezone.now():
        return pgettext_lazy("invitation", "Expired"), "secondary", _("No one used the link in time. Create a new one.")
    if not works:
        more = _("The person who gave it no longer manages this workspace. Create a new link.")
        return pgettext_lazy("invitation", "Without effect"), "yellow", more
    more = _("works until %(moment)s") % {"moment": until(row.expires_at)}
    return pgettext_lazy("invitation", "Waiting"), "azure", more


def invalid_link_message(row: ColleagueInvitation | None) -> Message:
    """The text for an invalid link; `row` is None for an unknown one."""
    if row is None:
        return Message(
            _("This link does not work"),
            _("Part of it may be missing, or it was replaced by a newer one."),
            _("Copy the whole link, or ask the person who invited you for a new one."),
        )
    if row.accepted_at is not None:
        return Message(
            _("This link was used already"),
            _("An invitation works once."),
            gettext_lazy("If it was you, sign in. If not, ask the person who invited you for a new one."),
        )
    if row.revoked_at is None and row.expires_at <= timezone.now():
        return Message(
            _("This link has expired"),
            _("An invitation works only for a limited time."),
            _("Ask the person who invited you for a new one."),
        )
    return Message(
        _("This invitation was revoked"),
        _("No one can join by this link any more."),
        _("If you still need one, ask the person who invited you."),
    )


#: The flow that an access request wants to open.
_FLOW = re.compile(r"/w/[^/]+/flows/([^/]+)/")


def describe_requests(workspace: Workspace, requests: Iterable[AccessRequest]) -> list[tuple[AccessRequest, str]]:
    """Each request with what its link opens; "" for a request without a link. Does not call the engine."""
    listed = list(requests)
    flows = {request.pk: match[1] for request in listed if (match := _FLOW.match(request.link))}
    names = _flow_names(workspace, set(flows.values()))
    return [(request, _page(request.link, names.get(flows.get(request.pk, ""), ""))) for request in listed]


def decision_message(request: AccessRequest) -> str:
    """Who decided an access request, how and when, for a manager who wanted to decide it too."""
    text = _("Too late: %(name)s declined this request at %(time)s.")
    if request.granted:
        text = _("Too late: %(name)s approved this request at %(time)s.")
    elif request.decided_by_id == request.user_id:
        text = _("Too late: %(name)s cancelled this request at %(time)s.")
    moment = web_formats.exact(request.decided_at, seconds=False) if request.decided_at else ""
    return text % {"name": request.decided_by.label if request.decided_by else _("Someone"), "time": moment}


def _page(link: str, flow: str) -> str:
    if not link:
        return ""
    if flow:
        return _("wants to open the flow “%(flow)s”") % {"flow": flow[:120]}
    if _FLOW.match(link):
        return _("wants to open a flow")
    label = navigation.label(link)
    return _("wants to open a page of “%(area)s”") % {"area": label} if label else _("wants to open this workspace")


def _flow_names(workspace: Workspace, ids: set[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for model in (LaunchForm, LaunchRight, Launch):
        rows = model.objects.filter(workspace=workspace, flow_id__in=ids).exclude(flow_name="")
        names |= dict(rows.values_list("flow_id", "flow_name").distinct())
    return names
