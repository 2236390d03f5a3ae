"""The texts of messages to channels about failures, which rules post (failure_rules/posting.py): names and steps are escaped here."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import formats

#: The event of such a message.
FAILURE = "failure"


def texts(content: Mapping[str, object], workspace: str, escape: Callable[[str], str], longest: int) -> tuple[str, str]:
    """Title and text. A count stands for the failures of some minutes."""
    name = escape(formats.cut(str(content.get("name") or content.get("flow")), longest))
    step = escape(formats.cut(str(content.get("step") or ""), longest))
    found = content.get("number")
    number = found if isinstance(found, int) else 1
    values = {"flow": name, "workspace": workspace, "n": number, "step": step}
    title = _("%(flow)s failed (%(workspace)s)") % values
    if number > 1:
        counted = ngettext(
            "%(flow)s failed %(n)d time (%(workspace)s)", "%(flow)s failed %(n)d times (%(workspace)s)", number
        )
        title = counted % values
    if not step:
        return title, ""
    if number == 1:
        return title, _("The step “%(step)s” failed.") % values
    return title, _("Most recently, the step “%(step)s” failed.") % values


def facts(content: Mapping[str, object]) -> dict[str, object]:
    """What a server of the customer's own gets besides the texts."""
    return {"failures": content.get("number", 1), "run": content.get("run", ""), "step": content.get("step", "")}
