"""News in words, in the language of whoever reads them: a sentence, what to do, and the icon."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.kit import show, words
from workflows_ui.models import Notice, NoticeKind

_LONGEST = 120


@dataclass(frozen=True)
class News:
    """A notice ready to be shown or mailed. `icon` and `colour` are the state's."""

    title: str
    detail: str
    icon: str
    colour: str


def of(row: Notice) -> News:
    """The words for a notice, whatever is missing in it."""
    about = row.about if isinstance(row.about, dict) else {}
    say = _KINDS.get(row.kind)
    return say(about) if say else News(row.get_kind_display(), "", "bell", "secondary")


def veiled(row: Notice) -> News:
    """What somebody is told of it who lacks the second step that its workspace demands: that there is something, not what."""
    name = row.workspace.name[:_LONGEST] if row.workspace else ""
    title = _("News from “%(workspace)s”") % {"workspace": name}
    return News(title, _("This workspace needs a second step. Set one up to read it."), "lock", "secondary")


def _ended(about: dict[str, Any]) -> News:
    state = words.launch_state(about.get("state"))
    title = _("%(flow)s: %(state)s") % {"flow": _text(about, "flow"), "state": state.word}
    return News(title, _step(about), state.icon, state.colour)


def _failed(about: dict[str, Any]) -> News:
    state = words.launch_state(about.get("state"))
    by = _text(about, "by")
    title = _("%(flow)s: %(state)s") % {"flow": _text(about, "flow"), "state": state.word}
    said = [_("Launched by %(name)s.") % {"name": by} if by else "", _step(about)]
    return News(title, " ".join(part for part in said if part), state.icon, state.colour)


def _job(about: dict[str, Any]) -> News:
    failed = _number(about, "failed")
    detail = ngettext("%(n)d could not be done.", "%(n)d could not be done.", failed) % {"n": failed} if failed else ""
    title = _("Your export is ready") if about.get("job") == "export" else _("Your bulk action is finished")
    if about.get("ended") is False:
        title = _("A job of yours ended early")
        return News(title, detail or _("Its page says why."), "triangle-exclamation", "red")
    return News(title, detail, "triangle-exclamation" if failed else "circle-check", "orange" if failed else "green")


def _asks(about: dict[str, Any]) -> News:
    title = _("%(name)s asks to be let in") % {"name": _text(about, "name")}
    return News(title, _("Let them in, with a role, or refuse."), "user-plus", "blue")


def _ends(about: dict[str, Any]) -> News:
    days = _number(about, "days")
    name = _text(about, "name")
    title = ngettext("“%(name)s” ends in %(n)d day", "“%(name)s” ends in %(n)d days", days) % {"name": name, "n": days}
    return News(title, _("Replace it before then, or launches with it will be refused."), "key", "orange")


def _right(about: dict[str, Any]) -> News:
    title = _("You may launch %(flow)s") % {"flow": _text(about, "flow")}
    until, most = show.moment(about.get("until")), about.get("most")
    said = [_("Until %(moment)s.") % {"moment": show.exact(until, seconds=False)} if until else ""]
    if isinstance(most, int):
        said.append(ngettext("At most %(n)d launch.", "At most %(n)d launches.", most) % {"n": most})
    return News(title, " ".join(part for part in said if part), "rocket", "green")


def _accepted(about: dict[str, Any]) -> News:
    title = _("%(name)s accepted your invitation") % {"name": _text(about, "name")}
    return News(title, _text(about, "email"), "user-check", "green")


def _number(about: dict[str, Any], key: str) -> int:
    found = about.get(key)
    return found if isinstance(found, int) else 0


def _step(about: dict[str, Any]) -> str:
    step = _text(about, "step")
    return _("The step “%(step)s” failed.") % {"step": step} if step else ""


def _text(about: dict[str, Any], key: str) -> str:
    found = about.get(key)
    if isinstance(found, Promise):
        found = str(found)
    return found[:_LONGEST] + ("…" if len(found) > _LONGEST else "") if isinstance(found, str) else ""


_KINDS: dict[str, Callable[[dict[str, Any]], News]] = {
    NoticeKind.LAUNCH_ENDED: _ended,
    NoticeKind.FLOW_FAILED: _failed,
    NoticeKind.JOB_ENDED: _job,
    NoticeKind.ACCESS_ASKED: _asks,
    NoticeKind.CREDENTIAL_ENDS: _ends,
    NoticeKind.RIGHT_GIVEN: _right,
    NoticeKind.INVITATION_ACCEPTED: _accepted,
}
