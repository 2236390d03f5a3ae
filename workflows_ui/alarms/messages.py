"""Texts about alarms, in the language of the reader. Missing facts are allowed.

Runs are counted by the days of the console's time zone, so all times are of this zone too, with its place.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from workflows_ui.alarms.models import AlarmEnd, AlarmKind, AlarmWatch
from workflows_ui.core import formats
from workflows_ui.core.text import Text

Facts = Mapping[str, object]
#: The greatest age of the last check; there is one a minute.
_CHECKED = timedelta(minutes=10)


def sentence(kind: str, facts: object) -> str:
    """The problem and what is counted: "Usually 8 runs by 14:15, today 3; the last one yesterday 18:10, Hanoi."."""
    build = _KINDS.get(kind)
    return build(facts if isinstance(facts, dict) else {}) if build else ""


def detail(kind: str, facts: object) -> str:
    """What is not counted; "" if everything is."""
    by_hand = _number(facts, "by_hand") if isinstance(facts, dict) else 0
    if kind != AlarmKind.QUIET or not by_hand:
        return ""
    text = ngettext(
        "%(n)d run that a person started today is not counted.",
        "%(n)d runs that people started today are not counted.",
        by_hand,
    )
    return text % {"n": by_hand}


def next_step(kind: str) -> str:
    """What people can do about a problem; "" for an unknown one."""
    return str(_NEXT_STEPS.get(kind, ""))


def effect(kind: str) -> str:
    """What the answer changes that an alarm was a false one (answers.py)."""
    return str(_EFFECTS.get(kind, ""))


def time(moment: datetime) -> str:
    """A time as `yesterday 18:10`, in the console's time zone."""
    with timezone.override(timezone.get_default_timezone()):
        return formats.day_and_time(moment)


def place() -> str:
    """The place of the console's time zone."""
    return formats.place(timezone.get_default_timezone())


def since(moment: datetime) -> str:
    """Since when there is a problem, as a sentence."""
    return _("Since %(time)s, %(place)s.") % {"time": time(moment), "place": place()}


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
    usual, today = _number(facts, "usual"), _number(facts, "today")
    by, last = formats.moment(facts.get("by")), formats.moment(facts.get("last"))
    values = {"usual": usual, "today": today, "place": place(), "last": time(last) if last else ""}
    if usual < 1 or by is None:
        if last is None:
            return _("There is usually another run by now.")
        return _("There is usually another run by now; the last one was %(last)s, %(place)s.") % values
    values["time"] = f"{timezone.localtime(by, timezone.get_default_timezone()):%H:%M}"
    if last is None:
        text = ngettext(
            "Usually %(usual)d run by %(time)s, today %(today)d; %(place)s time.",
            "Usually %(usual)d runs by %(time)s, today %(today)d; %(place)s time.",
            usual,
        )
    else:
        text = ngettext(
            "Usually %(usual)d run by %(time)s, today %(today)d; the last one %(last)s, %(place)s.",
            "Usually %(usual)d runs by %(time)s, today %(today)d; the last one %(last)s, %(place)s.",
            usual,
        )
    return text % values


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
    if kind in {AlarmKind.QUIET, AlarmKind.MISSED} and end == AlarmEnd.OVER:
        return _("The flow runs again.")
    return str(AlarmEnd(end).label) if end in AlarmEnd.values else ""


def _missed(facts: Facts) -> str:
    missed, last = formats.moment(facts.get("time")), formats.moment(facts.get("last"))
    if missed is None:
        return _("It did not start as scheduled.")
    values = {"time": time(missed), "last": time(last) if last else "", "place": place()}
    if last is None:
        return _("It did not start as scheduled, %(time)s, %(place)s.") % values
    return _("It did not start as scheduled, %(time)s; the last run was %(last)s, %(place)s.") % values


def _failing(facts: Facts) -> str:
    failed, number, step = _number(facts, "failed"), _number(facts, "number"), facts.get("step")
    values = {"failed": failed, "n": number, "share": number_format(_number(facts, "usual")), "step": ""}
    if isinstance(step, str) and formats.visible(step):
        text = ngettext(
            "%(failed)d of the last %(n)d run failed, the latest at the step “%(step)s”; usually %(share)s%% fail.",
            "%(failed)d of the last %(n)d runs failed, the latest at the step “%(step)s”; usually %(share)s%% fail.",
            number,
        )
        return text % (values | {"step": formats.cut(step, 120)})
    text = ngettext(
        "%(failed)d of the last %(n)d run failed; usually %(share)s%% fail.",
        "%(failed)d of the last %(n)d runs failed; usually %(share)s%% fail.",
        number,
    )
    return text % values


def _longer(facts: Facts) -> str:
    taken, usual, longest = (formats.roughly(_number(facts, key) * 1000) for key in ("seconds", "usual", "longest"))
    values = {"time": taken, "usual": usual, "longest": longest}
    if facts.get("running") is True:
        return _("A run has taken %(time)s so far. Usually runs take %(usual)s, at most %(longest)s.") % values
    return _("The last long run took %(time)s. Usually runs take %(usual)s, at most %(longest)s.") % values


def _number(facts: Facts, key: str) -> float:
    value = facts.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


_NEXT_STEPS: Mapping[str, Text] = {
    AlarmKind.QUIET: gettext_lazy(
        "Check that the system that starts the flow works and still calls it. A launch by hand shows whether the flow itself works."
    ),
    AlarmKind.MISSED: gettext_lazy(
        "Check the flow's schedule and the engine. If the run must not be missing, launch the flow by hand."
    ),
    AlarmKind.FAILING: gettext_lazy("Open the failures, correct the cause, then retry the failed runs together."),
    AlarmKind.LONGER: gettext_lazy("Open the run to see at which step it takes so long."),
    AlarmKind.MANY: gettext_lazy(
        "Check the engine and the system that starts these flows. On a holiday, a manager can enter a day off on the page of the run index."
    ),
}

#: The effects of the answer that nothing was wrong.
_EFFECTS: Mapping[str, Text] = {
    AlarmKind.QUIET: gettext_lazy(
        "After a false alarm, people are notified of this flow only after a longer pause, for 30 days."
    ),
    AlarmKind.MISSED: gettext_lazy(
        "After a false alarm, people are notified of this flow only when a second time in a row is missed, for 30 days."
    ),
    AlarmKind.FAILING: gettext_lazy(
        "After a false alarm, this flow is reported only if a greater share of its runs fails than now, for 30 days."
    ),
    AlarmKind.LONGER: gettext_lazy(
        "After a false alarm, this flow is reported only if its runs take much longer than this one, for 30 days."
    ),
}

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
