"""Texts about rules for failures."""

from django.utils.translation import gettext as _, ngettext, pgettext

from workflows_ui.core import formats
from workflows_ui.failure_rules.models import ActionState, FailureAction, FailureRule, RuleKind

_LONGEST = 120


def sentence(rule: FailureRule) -> str:
    """What a rule does, and for whom."""
    owner = formats.cut(rule.owner.label, _LONGEST)
    if rule.kind == RuleKind.POST:
        return _("Post to “%(channel)s”") % {"channel": rule.channel.name if rule.channel else ""}
    if rule.kind == RuleKind.LAUNCH:
        flow = formats.cut(rule.handler_name or rule.handler_id, _LONGEST)
        return _("Run “%(flow)s” for %(owner)s") % {"flow": flow, "owner": owner}
    text = ngettext(
        "Turn off after %(n)d failure in a row, for %(owner)s",
        "Turn off after %(n)d failures in a row, for %(owner)s",
        rule.threshold,
    )
    return text % {"n": rule.threshold, "owner": owner}


def scope(rule: FailureRule) -> str:
    """The flow whose failures a rule acts on."""
    return rule.flow_name or rule.flow_id or _("All flows")


def outcome(action: FailureAction) -> str:
    """What an action led to, in a few words."""
    if action.state == ActionState.NOT_DONE:
        return action.explanation
    if action.job_id:
        return {
            ActionState.WAITING: _("The flow is being turned off"),
            ActionState.DONE: _("The flow was turned off"),
            ActionState.UNCLEAR: _("It is unclear whether the flow is off. Look at the flow."),
        }[ActionState(action.state)]
    if action.launch_id:
        return pgettext("action of a rule", "Launched")
    if action.delivery_id:
        return _("Posted")
    return str(ActionState(action.state).label)
