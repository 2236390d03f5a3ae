"""Texts about alarms, in the language of the reader. Missing facts are allowed.

Runs are counted by the days of the console's time zone, so all times are of this zone too, with its name.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _, ngettext

from workflows_ui.alarms.models import AlarmEnd, AlarmKind, AlarmWatch
from workflows_ui.core import formats

Facts = Mapping[str, object]
#: The greatest age of the last check; there is one a minute.
_CHECKED = timedelta(minutes=10)


def sentence(kind: str, facts: object) -> str:
    """The problem, compared with the usual: "Usually 40 by 12:00, today 0"."""
    build = _KINDS.get(kind)
    return build(facts if isinstance(facts, dict) else {}) if build else ""


def detail(kind: str, facts: object) -> str:
    """The last run of a flow that is quiet or late; "" for other alarms."""
    last = formats.moment(facts.get("last")) if isinstance(facts, dict) else None
    if kind not in {AlarmKind.QUIET, AlarmKind.MISSED} or last is None:
        return ""
    return _("The last run began on %(time)s.") % {"time": _time(last)}


def _time(moment: datetime) -> str:
    zone = timezone.get_default_timezone()
    with timezone.override(zone):
        return f"{formats.exact(moment, seconds=False)} ({zone})"


def gap(watch: AlarmWatch | None, now: datetime) -> str:
    """Problems that alarms cannot report now; "" if they report all."""
    if watch is None or watch.checked_at is None:
        return _(
            "The flows have not been checked yet. Alarms begin when the run index has read the runs of the last day."
        )
    if watch.checked_at < now - _CHECKED:
        text = _("The flows were last checked on %(time)s. Alarms resume when the run index is up to date.")
        return text % {"time": formats.exact(watch.checked_at, seconds=False)}
    if not watch.knows_flows(now):
        text = _("The engine does not list its flows, so flows that stopped running are not reported.")
        if watch.flows_at is not None:
            text = _(
                "The engine has not listed its flows since %(time)s, so flows that stopped running are not reported."
            )
            text %= {"time": formats.exact(watch.flows_at, seconds=False)}
        return text
    return ""


def _quiet(facts: Facts) -> str:
    usual, today, by = _number(facts, "usual"), _number(facts, "today"), formats.moment(facts.get("by"))
    if usual < 1 or by is None:
        return _("There is usually another run by now.")
    zone = timezone.get_default_timezone()
    text = ngettext(
        "Usually %(usual)d run by %(time)s. Today: %(today)d.",
        "Usually %(usual)d runs by %(time)s. Today: %(today)d.",
        usual,
    )
    return text % {"usual": usual, "time": f"{timezone.localtime(by, zone):%H:%M} ({zone})", "today": today}


def _many(facts: Facts) -> str:
    number, most, names = (facts.get(key) for key in ("number", "most", "names"))
    if not isinstance(number, int) or not isinstance(names, list):
        return _("Many flows that usually run at this time have not run.")
    listed = ", ".join(map(str, names))
    if number > len(names):
        listed = _("%(names)s and others") % {"names": listed}
    text = ngettext(
        "%(n)d flow stopped running at the same time: %(names)s.",
        "%(n)d flows stopped running at the same time: %(names)s.",
        number,
    ) % {"n": number, "names": listed}
    if isinstance(most, int) and most > number:
        text += " " + _("At the peak, %(n)d flows were not running.") % {"n": most}
    return text


def reason(kind: str, end: str) -> str:
    """Why an alarm ended; "" for an open one."""
    if kind == AlarmKind.MANY and end == AlarmEnd.OVER:
        return _("The flows run again.")
    return str(AlarmEnd(end).label) if end in AlarmEnd.values else ""


def _missed(facts: Facts) -> str:
    time = formats.moment(facts.get("time"))
    if time is None:
        return _("It did not start as scheduled.")
    return _("It did not start on %(time)s, as scheduled.") % {"time": _time(time)}


def _failing(facts: Facts) -> str:
    failed, number = _number(facts, "failed"), _number(facts, "number")
    text = ngettext(
        "%(failed)d of the last %(n)d run failed; usually %(share)s%% fail.",
        "%(failed)d of the last %(n)d runs failed; usually %(share)s%% fail.",
        number,
    )
    return text % {"failed": failed, "n": number, "share": number_format(_number(facts, "usual"))}


def _longer(facts: Facts) -> str:
    taken, usual, longest = (formats.roughly(_number(facts, key) * 1000) for key in ("seconds", "usual", "longest"))
    values = {"time": taken, "usual": usual, "longest": longest}
    if facts.get("running") is True:
        return _("A run has taken %(time)s so far. Usually runs take %(usual)s, at most %(longest)s.") % values
    return _("The last long run took %(time)s. Usually runs take %(usual)s, at most %(longest)s.") % values


def _number(facts: Facts, key: str) -> float:
    value = facts.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


_KINDS: Mapping[str, Callable[[Facts], str]] = {
    AlarmKind.QUIET: _quiet,
    AlarmKind.MISSED: _missed,
    AlarmKind.FAILING: _failing,
    AlarmKind.LONGER: _longer,
    AlarmKind.MANY: _many,
}


def trouble(name: str, status: int) -> str:
    """Why the last attempt to send a message failed; "" if it did not."""
    if not name:
        return ""
    if name == "Status":
        return _("The server answered with %(status)d.") % {"status": status}
    if name == "AddressRefused":
        return _("The console may not call this address.")
    if name in {"CannotOpen", "Changed"}:
        return _("This channel was changed outside of the console. Remove it and add it again.")
    return _("The server did not answer (%(error)s).") % {"error": name}
