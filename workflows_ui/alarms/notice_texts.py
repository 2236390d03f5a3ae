"""The texts of a notification about alarms, from what it keeps of them (announcing.py). Missing values are allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _, ngettext

from workflows_ui.alarms import messages
from workflows_ui.alarms.models import AlarmEnd, AlarmKind
from workflows_ui.core import formats

#: The longest name of a flow, and the names in the title of several alarms.
_LONGEST, _NAMES = 120, 3


@dataclass(frozen=True)
class AlarmText:
    """An alarm in a notification.

    Attributes:
        title: the flow and the problem, or that it is over.
        sentences: what is counted, and since when, or how it ended.
        next_step: what people can do; "" if it is over.
        path, answer_path: its page, and the one that asks whether it was right ("" if people are not asked).
        run: the engine's id of the latest failed run; "" for none.
        ended: whether it is over.
    """

    flow: str
    title: str
    sentences: Sequence[str]
    next_step: str = ""
    path: str = ""
    answer_path: str = ""
    run: str = ""
    ended: bool = False


def read(about: Mapping[str, object], slug: str = "") -> list[AlarmText]:
    """The alarms of a notification, those that began first. `slug` is that of its workspace, for the addresses."""
    rows = about.get("alarms")
    if not isinstance(rows, list):
        # Of earlier releases: one alarm.
        rows = [{"kind": about.get("alarm"), "flow": about.get("flow"), "facts": about.get("facts")}]
    return [_read(row, slug) for row in rows if isinstance(row, dict)]


def _read(row: Mapping[str, object], slug: str) -> AlarmText:
    kind, end, key = str(row.get("kind")), str(row.get("end") or ""), row.get("id")
    facts = row.get("facts")
    if isinstance(facts, dict) and isinstance(facts.get("step"), str):
        # Mail programs make links of addresses, and nobody can tell who wrote one in the name of a step.
        facts = facts | {"step": formats.unlinked(facts["step"])}
    label = str(AlarmKind(kind).label) if kind in AlarmKind.values else _("An alarm about a flow")
    flow = row.get("flow")
    name = formats.cut(flow, _LONGEST) if isinstance(flow, str) and formats.visible(flow) else _("Many flows")
    since, ended = formats.moment(row.get("since")), formats.moment(row.get("ended"))
    values: dict[str, object] = {"flow": name, "alarm": label}
    path = reverse("alarm", args=[slug, key]) if slug and isinstance(key, int) else ""
    if end or ended:
        title = _("%(flow)s: back to normal") if end in {"", AlarmEnd.OVER} else _("%(flow)s: alarm ended")
        sentences = [f"{label}. {messages.reason(kind, end)}".strip(), _lasted(since, ended)]
        return AlarmText(name, title % values, [text for text in sentences if text], path=path, ended=True)
    times, run = row.get("times"), facts.get("run") if isinstance(facts, dict) else None
    title = _("%(flow)s: %(alarm)s")
    if isinstance(times, int) and times > 1:
        title, values = _("%(flow)s: %(alarm)s, %(n)d times"), values | {"n": times}
    # That a flow has been silent since its last run, the sentence says itself.
    began = messages.since(since) if since and kind not in {AlarmKind.QUIET, AlarmKind.MISSED} else ""
    sentences = [messages.sentence(kind, facts), messages.detail(kind, facts), began]
    answer_path = reverse("alarm_answer", args=[slug, key]) if path and kind != AlarmKind.MANY else ""
    failed = run if isinstance(run, str) and kind == AlarmKind.FAILING else ""
    return AlarmText(
        name,
        title % values,
        [text for text in sentences if text],
        messages.next_step(kind),
        path,
        answer_path,
        failed,
    )


def _lasted(since: object, ended: object) -> str:
    first, last = formats.moment(since), formats.moment(ended)
    if first is None or last is None:
        return ""
    values = {"since": messages.time(first), "until": messages.time(last), "place": messages.place()}
    return _("It lasted from %(since)s until %(until)s, %(place)s.") % values


def title(alarms: Sequence[AlarmText], more: int = 0) -> str:
    """The title of a notification about several alarms; that of the only one."""
    if len(alarms) == 1 and not more:
        return alarms[0].title
    began = sum(not alarm.ended for alarm in alarms) + more
    over = sum(alarm.ended for alarm in alarms)
    names = list(dict.fromkeys(alarm.flow for alarm in alarms))
    listed = ", ".join(formats.cut(name, 40) for name in names[:_NAMES])
    if len(names) > _NAMES or more:
        listed = _("%(names)s and others") % {"names": listed}
    counted = []
    if began:
        counted.append(ngettext("%(n)d alarm", "%(n)d alarms", began) % {"n": began})
    if over:
        counted.append(ngettext("%(n)d back to normal", "%(n)d back to normal", over) % {"n": over})
    return f"{', '.join(counted)}: {listed}"
