"""What people want to open who request access by a link, in words that a manager knows."""

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import AccessRequest, LaunchRight, Workspace
from workflows_ui.web import navigation

_FLOW = re.compile(r"/w/[^/]+/flows/([^/]+)/")


def describe(workspace: Workspace, requests: Iterable[AccessRequest]) -> list[tuple[AccessRequest, str]]:
    """Return each request with what its link opens; "" for a request without a link. Does not call the engine."""
    listed = list(requests)
    flows = {request.pk: match[1] for request in listed if (match := _FLOW.match(request.link))}
    names = _flow_names(workspace, set(flows.values()))
    return [(request, _page(request.link, names.get(flows.get(request.pk, ""), ""))) for request in listed]


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
