"""Texts of notifications in the reader's language: a sentence, the next step, and the icon."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _, ngettext

from workflows_ui.alarms import notice_texts
from workflows_ui.alarms.notice_texts import AlarmText
from workflows_ui.core import formats
from workflows_ui.failure_rules.models import RuleKind, Stop
from workflows_ui.launches.failures.reasons import FailureReason
from workflows_ui.launches.models import Reason, State
from workflows_ui.notifications.models import Notice, NoticeKind
from workflows_ui.web import messages

_LONGEST = 120


@dataclass(frozen=True)
class News:
    """A notice ready for a page or a mail. `icon` and `colour` are those of the state; `cause`: why it failed, in sentences; `alarms`: what
    it is about.
    """

    title: str
    detail: str
    icon: str
    colour: str
    cause: Sequence[str] = ()
    alarms: Sequence[AlarmText] = ()


def notification_message(row: Notice, *, concealed: bool = False, reason: FailureReason | None = None) -> News:
    """The texts of a notice; missing values are allowed.

    `concealed`: without details, for a person without the second step that the workspace requires. `reason`: of the failure, if the
    person may read it.
    """
    if concealed:
        title = _("News from “%(workspace)s”") % {"workspace": row.workspace.name[:_LONGEST] if row.workspace else ""}
        detail = _("This workspace requires two-factor authentication. Set it up to read this.")
        return News(title, detail, "lock", "secondary")
    about = row.about if isinstance(row.about, dict) else {}
    if row.kind == NoticeKind.ALARM:
        return _alarm(about, row.workspace.slug if row.workspace else "")
    if reason is not None and reason.step:
        about = about | {"step": ""}  # the reason names it
    build = _KINDS.get(row.kind)
    if row.count > 1:
        news = _several_failures(about, row.count, row.last_at)
    else:
        news = build(about) if build else News(row.get_kind_display(), "", "bell", "secondary")
    return replace(news, cause=reason.sentences) if reason else news


def _launch_ended(about: dict[str, object]) -> News:
    state = messages.launch_state(about.get("state"), about.get("reason"))
    title = _("%(flow)s: %(state)s") % {"flow": _text(about, "flow"), "state": state.word}
    step = _text(about, "step")
    detail = _("The step “%(step)s” failed.") % {"step": step} if step else ""
    return News(title, detail, state.icon, state.colour)


def _launch_repaired(about: dict[str, object]) -> News:
    title = _("%(flow)s: repaired") % {"flow": _text(about, "flow")}
    by = _text(about, "by")
    detail = _("%(name)s started the failed run again, and it succeeded.") % {"name": by} if by else ""
    return News(title, detail or _("The failed run was started again, and it succeeded."), "circle-check", "green")


def _kept_launch(about: dict[str, object]) -> News:
    flow = {"flow": _text(about, "flow")}
    if about.get("sent") is True:
        return News(_("%(flow)s was sent: the engine is back") % flow, _("Open it to see the result."), "send", "blue")
    until = formats.moment(about.get("until"))
    if about.get("reason") == Reason.NOT_BACK and until:
        detail = _("The engine was not back by %(time)s. The flow did not run.") % {"time": formats.minute(until)}
    else:
        detail = _("Open it to see why. The flow did not run.")
    return News(_("%(flow)s was not sent") % flow, detail, State.NOT_SENT.icon, State.NOT_SENT.colour)


def _flow_failed(about: dict[str, object]) -> News:
    news, by = _launch_ended(about), _text(about, "by")
    launched = _("Launched by %(name)s.") % {"name": by} if by else ""
    return replace(news, detail=f"{launched} {news.detail}".strip())


def _several_failures(about: dict[str, object], count: int, last_at: datetime) -> News:
    latest = _launch_ended(about)
    values = {"flow": _text(about, "flow"), "n": count, "time": formats.short_time(last_at)}
    title = ngettext(
        "%(flow)s failed %(n)d time, last at %(time)s", "%(flow)s failed %(n)d times, last at %(time)s", count
    )
    state = messages.launch_state(about.get("state"), about.get("reason"))
    other_state = _("Latest: %(state)s.") % {"state": state.word} if about.get("state") != "failed" else ""
    return replace(latest, title=title % values, detail=latest.detail or other_state)


def _alarm(about: dict[str, object], slug: str) -> News:
    alarms, more = notice_texts.read(about, slug), _number(about, "more")
    over = all(alarm.ended for alarm in alarms)
    sentences = alarms[0].sentences if len(alarms) == 1 else [f"{alarm.title}." for alarm in alarms]
    icon, colour = ("circle-check", "green") if over else ("bell-ring", "red")
    return News(notice_texts.title(alarms, more), " ".join(sentences), icon, colour, alarms=alarms)


def _failure_rule(about: dict[str, object]) -> News:
    event, number = about.get("event"), _number(about, "n")
    values = {"flow": _text(about, "flow") or _("All flows"), "n": number, "owner": _text(about, "owner")}
    if event == "turned_off":
        text = ngettext(
            "It failed %(n)d time in a row. The rule is of %(owner)s. The flow's page has a button that turns it on again.",
            "It failed %(n)d times in a row. The rule is of %(owner)s. The flow's page has a button that turns it on again.",
            number,
        )
        return News(_("%(flow)s was turned off") % values, text % values, "toggle-left", "red")
    if event in {"not_turned_off", "unclear"}:
        title = _("%(flow)s was to be turned off") % values
        unclear = _("It is unclear whether the flow is off. Look at the flow.")
        return News(
            title, unclear if event == "unclear" else _("The flow could not be turned off."), "triangle-alert", "red"
        )
    if event == "too_many":
        text = _("It launched %(n)d times within an hour. Further failures within this hour start no flow.") % values
        return News(_("The rule that runs %(flow)s rests") % values, text, "triangle-alert", "orange")
    stop = about.get("stop")
    reason = str(Stop(stop).label) if stop in Stop.values else ""
    values["rule"] = RuleKind(does).label if (does := about.get("does")) in RuleKind.values else ""
    return News(_("The rule “%(rule)s” of %(owner)s was stopped: %(flow)s") % values, reason, "circle-stop", "red")


def _failure_assigned(about: dict[str, object]) -> News:
    title = _("%(by)s assigned a failure to you") % {"by": _text(about, "by")}
    return News(title, _text(about, "name"), "repeat", "orange")


def _note(about: dict[str, object]) -> News:
    values = {"by": _text(about, "by"), "name": _text(about, "name")}
    if about.get("asks") is True:
        title = _("%(by)s asks for help: %(name)s") % values
        return News(title, _("Open it, and answer with a note."), "life-buoy", "orange")
    return News(_("%(by)s mentioned you in a note: %(name)s") % values, "", "message-square", "blue")


def _job(about: dict[str, object]) -> News:
    failed = _number(about, "failed")
    detail = ngettext("%(n)d item failed.", "%(n)d items failed.", failed) % {"n": failed} if failed else ""
    title = _("Your export is ready") if about.get("job") == "export" else _("Your bulk action is finished")
    if about.get("ended") is False:
        title = _("Your job ended early")
        return News(title, detail or _("Open it to see why."), "triangle-alert", "red")
    return News(title, detail, "triangle-alert" if failed else "circle-check", "orange" if failed else "green")


def _access_request(about: dict[str, object]) -> News:
    title = _("%(name)s requests access") % {"name": _text(about, "name")}
    return News(title, _("Choose a role to approve, or decline."), "user-plus", "blue")


def _access_decision(about: dict[str, object]) -> News:
    values = {"workspace": _text(about, "into")}
    if about.get("granted") is True:
        return News(_("You've been added to %(workspace)s.") % values, "", "user-check", "green")
    return News(_("Your request to join %(workspace)s was declined") % values, "", "user-x", "red")


def _credential_expiry(about: dict[str, object]) -> News:
    days = _number(about, "days")
    name = _text(about, "name")
    title = ngettext(
        "Credential “%(name)s” expires in %(n)d day", "Credential “%(name)s” expires in %(n)d days", days
    ) % {"name": name, "n": days}
    return News(title, _("Replace it before then to keep launches working."), "key-round", "orange")


def _credential_reentry(about: dict[str, object]) -> News:
    title = _("Enter the secret of “%(name)s” again") % {"name": _text(about, "name")}
    why = _("It was changed outside of the console, so it is out of use.")
    if about.get("moved"):
        why = _("The workspace moved to another address. Until then the console does not use this credential.")
    return News(title, why, "key-round", "orange")


def _consent_request(about: dict[str, object]) -> News:
    values = {key: _text(about, key) for key in ("by", "name", "team")}
    title = _("%(by)s wants to share your credential “%(name)s” with the team %(team)s") % values
    return News(title, _("No one else uses it unless you agree."), "key-round", "orange")


def _consent_decision(about: dict[str, object]) -> News:
    values = {key: _text(about, key) for key in ("owner", "name", "team")}
    if about.get("decision") == "consent":
        return News(_("%(owner)s agreed: the team %(team)s uses “%(name)s”") % values, "", "key-round", "green")
    if about.get("decision") == "withdraw":
        return News(_("%(owner)s no longer shares “%(name)s” with the team %(team)s") % values, "", "key-round", "red")
    return News(_("%(owner)s does not share “%(name)s” with the team %(team)s") % values, "", "key-round", "red")


def _launch_right(about: dict[str, object]) -> News:
    title = _("You can launch %(flow)s") % {"flow": _text(about, "flow")}
    until, most = formats.moment(about.get("until")), about.get("most")
    parts = [_("Until %(moment)s.") % {"moment": formats.exact(until, seconds=False)} if until else ""]
    if isinstance(most, int):
        parts.append(ngettext("At most %(n)d launch.", "At most %(n)d launches.", most) % {"n": most})
    return News(title, " ".join(part for part in parts if part), "rocket", "green")


def _invitation_accepted(about: dict[str, object]) -> News:
    title = _("%(name)s accepted your invitation") % {"name": _text(about, "name")}
    return News(title, _text(about, "email"), "user-check", "green")


def _invitation_request(about: dict[str, object]) -> News:
    name, email, address = (_text(about, key) for key in ("name", "email", "address"))
    title = _("%(name)s wants to use your invitation to %(email)s") % {"name": name, "email": email}
    detail = _("Their address is %(address)s.") % {"address": address} if address else _("They have no address here.")
    return News(title, f"{detail} {_('Confirm or decline.')}", "calendar-clock", "orange")


def _invitation_decision(about: dict[str, object]) -> News:
    values = {"workspace": _text(about, "into")}
    if about.get("granted") is True:
        return News(_("You've been added to %(workspace)s.") % values, "", "user-check", "green")
    title = _("Your request to join %(workspace)s was declined") % values
    return News(title, _("The invitation is for another address."), "user-x", "red")


def _number(about: dict[str, object], key: str) -> int:
    value = about.get(key)
    return value if isinstance(value, int) else 0


def _text(about: dict[str, object], key: str) -> str:
    value = about.get(key)
    return value[:_LONGEST] + ("…" if len(value) > _LONGEST else "") if isinstance(value, str) else ""


_KINDS: dict[str, Callable[[dict[str, object]], News]] = {
    NoticeKind.LAUNCH_ENDED: _launch_ended,
    NoticeKind.LAUNCH_REPAIRED: _launch_repaired,
    NoticeKind.KEPT_LAUNCH: _kept_launch,
    NoticeKind.FLOW_FAILED: _flow_failed,
    NoticeKind.FAILURE_RULE: _failure_rule,
    NoticeKind.FAILURE_ASSIGNED: _failure_assigned,
    NoticeKind.NOTE: _note,
    NoticeKind.JOB_ENDED: _job,
    NoticeKind.ACCESS_ASKED: _access_request,
    NoticeKind.ACCESS_DECIDED: _access_decision,
    NoticeKind.CREDENTIAL_ENDS: _credential_expiry,
    NoticeKind.CREDENTIAL_TO_ENTER: _credential_reentry,
    NoticeKind.CONSENT_ASKED: _consent_request,
    NoticeKind.CONSENT_DECIDED: _consent_decision,
    NoticeKind.RIGHT_GIVEN: _launch_right,
    NoticeKind.INVITATION_ACCEPTED: _invitation_accepted,
    NoticeKind.INVITATION_ASKED: _invitation_request,
    NoticeKind.INVITATION_DECIDED: _invitation_decision,
}
