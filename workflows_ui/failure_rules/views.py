"""Rules for failures: the list, the page of one, adding, pausing, resuming and removing."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_ui.alarms import channels
from workflows_ui.audit.requests import actor
from workflows_ui.core.paths import sole_id, text_at
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.failure_rules import messages as texts, services
from workflows_ui.failure_rules.failure_input import SHAPE, page_path
from workflows_ui.failure_rules.forms import FORMS
from workflows_ui.failure_rules.models import FailureRule, RuleKind
from workflows_ui.flows import pages
from workflows_ui.flows.launchable import launchable_flows
from workflows_ui.flows.reading import name_of
from workflows_ui.launches import flow_facts
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.places import flow_url
from workflows_ui.resource_admin.resource import Row, id_at
from workflows_ui.run_index.services import indexes
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, is_sure

#: Seconds for which the names of the flows are kept.
_NAMES_FOR = 60


@never_cache
@require_safe
@member(Role.BUILDER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The rules of the workspace: what they do, whether they are active, and when they last acted."""
    rows = list(services.of_workspace(request.access.workspace)[: services.RULES])
    context = {
        "rows": [(rule, texts.scope(rule), texts.sentence(rule)) for rule in rows],
        "full": len(rows) >= services.RULES,
        "kinds": RuleKind,
        "index": indexes.for_access(request.access),
        "sees": services.sees_failures(request.access),
        "manages": request.access.allows(Role.MANAGER),
    }
    return responses.page(request, "failure_rules/list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.BUILDER)
def add(request: ConsoleRequest, slug: str, does: str) -> HttpResponse:
    """GET: the form of a kind of rule, with `?flow=` for this flow. POST: add it. Only for people who may see what rules act on."""
    if does not in RuleKind.values:
        raise Http404
    access, wanted = request.access, RuleKind(does)
    if not services.sees_failures(access):
        manages = access.allows(Role.MANAGER)
        return responses.page(request, "failure_rules/no_index.html", {"manages": manages})
    if services.of_workspace(access.workspace).count() >= services.RULES:
        messages.error(request, _("There are enough rules. Remove one first."))
        return responses.redirect_to_view(request, "failure_rules", slug)
    session = engine_session.open_session(access)
    key = request.GET.get("flow", "").strip()
    flow = (key, _name(session, key)) if sole_id(key) else None
    form = FORMS[wanted](
        request.POST if request.method == "POST" else None,
        access=access,
        flow=flow,
        flows=() if flow else _flows(session),
        launchable=launchable_flows(session).flows if wanted == RuleKind.LAUNCH else (),
    )
    if request.method != "POST" or not form.is_valid():
        context = {
            "kind": wanted,
            "flow": flow,
            "shape": SHAPE,
            "no_channel": wanted == RuleKind.POST and not channels.of_workspace(access.workspace).exists(),
            "manages": access.allows(Role.MANAGER),
        }
        return responses.form_page(request, "failure_rules/add.html", form, context)
    rule = services.add(actor(request), access, wanted, **form.values())
    messages.success(request, _("The rule is active. It acts on failures from now on."))
    return responses.redirect_to_view(request, "failure_rule", slug, rule.pk)


def _name(session: EngineSession, flow_id: str) -> str:
    """The flow's name from the engine. Raises EngineError, also if the flow does not exist."""
    return session.remember(
        f"flow-name:{flow_id}", _NAMES_FOR, lambda: flow_facts.load_facts(session.workflows, flow_id).name
    )


def _flows(session: EngineSession) -> list[tuple[str, str]]:
    """The flows of the workspace, as id and name. Raises EngineError."""

    def reduced(row: Row) -> dict[str, object]:
        return {"id": id_at(row), "name": name_of(row)[:200]}

    def load() -> list[tuple[str, str]]:
        rows = pages.all_flows(session, reduced)[0]
        return [(text_at(row, "id"), text_at(row, "name") or text_at(row, "id")) for row in rows if sole_id(row["id"])]

    return session.remember("failure-rules:flows", _NAMES_FOR, load)


def _lookup(request: ConsoleRequest, rule_id: str) -> FailureRule:
    return get_object_or_404(services.of_workspace(request.access.workspace), pk=rule_id)


@never_cache
@require_safe
@member(Role.BUILDER)
def rule(request: ConsoleRequest, slug: str, rule_id: str) -> HttpResponse:
    """The page of a rule: what it does, and what it did about the latest failures."""
    row = _lookup(request, rule_id)
    access = request.access
    sees = services.sees_failures(access)
    latest = row.actions.select_related("failure", "launch", "job").order_by("-failure__failed_at", "-pk")
    actions = latest[: services.SHOWN]
    context = {
        "rule": row,
        "scope": texts.scope(row),
        "sentence": texts.sentence(row),
        "flow_url": flow_url(slug, row.flow_id) if row.flow_id else "",
        "handler_url": flow_url(slug, row.handler_id) if row.handler_id else "",
        "actions": [
            (action, texts.outcome(action), page_path(slug, action.failure), _sees_job(request, action.job))
            for action in (actions if sees else ())
        ],
        "sees": sees,
        "may_change": services.may_change(access, row),
        "may_resume": services.may_resume(access, row),
        "most": services.SHOWN,
    }
    return responses.page(request, "failure_rules/rule.html", context)


def _sees_job(request: ConsoleRequest, job: object) -> bool:
    own = getattr(job, "user_id", None) == request.user.pk
    return job is not None and (own or request.access.allows(Role.MANAGER))


@require_POST
@member(Role.BUILDER)
def pause(request: ConsoleRequest, slug: str, rule_id: str) -> HttpResponse:
    row = _lookup(request, rule_id)
    request.access.require(row.role)
    if services.pause(actor(request), row):
        messages.success(request, _("The rule is paused."))
    return responses.redirect_to_view(request, "failure_rule", slug, row.pk)


@require_POST
@member(Role.BUILDER)
def resume(request: ConsoleRequest, slug: str, rule_id: str) -> HttpResponse:
    row = _lookup(request, rule_id)
    request.access.require(row.role)
    if services.may_resume(request.access, row):
        services.resume(actor(request), row)
        messages.success(request, _("The rule is active. It acts on failures from now on."))
    else:
        messages.error(request, _("Only its owner can let it act again."))
    return responses.redirect_to_view(request, "failure_rule", slug, row.pk)


@member(Role.BUILDER)
def remove(request: ConsoleRequest, slug: str, rule_id: str) -> HttpResponse:
    row = _lookup(request, rule_id)
    request.access.require(row.role)
    if not is_sure(request):
        return responses.page(request, "failure_rules/remove.html", {"rule": row, "sentence": texts.sentence(row)})
    services.remove(actor(request), row)
    messages.success(request, _("The rule is removed."))
    return responses.redirect_to_view(request, "failure_rules", slug)
