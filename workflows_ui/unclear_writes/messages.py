"""Texts about writes that are being checked."""

from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.audit import messages as audit_messages
from workflows_ui.core import formats
from workflows_ui.engine.answer import UNREADABLE, WEB_PAGE
from workflows_ui.resource_admin.resource import RESOURCES
from workflows_ui.unclear_writes import services
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState
from workflows_ui.web.links import reachable

#: Seconds between two updates of the page.
SECONDS = 3
#: Descriptions of answers that are the console's own, in the language of the page.
_OWN_WORDS = {
    WEB_PAGE: gettext_lazy("A web page came back instead of the engine's answer."),
    UNREADABLE: gettext_lazy("The answer is not readable as JSON."),
}


def sentence(row: UnclearWrite) -> str:
    """What is known about the write."""
    if row.state == WriteState.CHECKING:
        return _(
            "The request was sent at %(time)s, and the answer did not prove whether it was done. The console looks in the engine for it "
            "and does not send it a second time. This takes some minutes at most."
        ) % {"time": formats.minute(row.asked_at)}
    if row.is_incomplete:
        return _("The first part of it was done, what had to follow was not. Look at the result and complete it.")
    if row.state == WriteState.DONE:
        return _("The console found in the engine that it was done.")
    if row.state == WriteState.NOT_DONE:
        return _("It was not done: the engine is as it was before. You can send it again.")
    return _("No one can say whether it was done: the engine does not show it. Look there before you send it again.")


def context(row: UnclearWrite) -> dict[str, object]:
    """The context of templates/unclear_writes/check.html."""
    return {
        "write": row,
        "write_badge": WriteState(row.state).badge,
        "write_sentence": sentence(row),
        "write_url": reverse("unclear_write", args=[row.workspace.slug, row.pk]),
        "write_seconds": SECONDS if row.is_checked else 0,
        "write_object_url": reachable(object_url(row)),
        "write_own_words": _OWN_WORDS.get(row.answered.get("message", "")),
        "write_form_url": reachable(form_url(row)),
        "may_repeat": row.state == WriteState.NOT_DONE and not row.is_incomplete,
        # A second restore goes on with what the first one created.
        "may_continue": row.is_incomplete and row.action == "restore",
    }


def form_url(row: UnclearWrite) -> str:
    """The page that sent a write that was not done, with what was typed there if that is kept; only that person gets it."""
    if row.state != WriteState.NOT_DONE or not row.content:
        return row.path
    return f"{row.path}?{urlencode({services.AGAIN: row.pk})}"


def title(row: UnclearWrite) -> str:
    return str(audit_messages.action(f"{row.resource}.{row.action}"))


def object_url(row: UnclearWrite) -> str:
    """The page of the object, or the list; "" for objects that are a part of another one."""
    if row.resource not in RESOURCES:
        return ""
    key = row.found_id or row.object_id
    removed = row.state == WriteState.DONE and row.action.startswith("delete")
    try:
        return RESOURCES[row.resource].url(row.workspace.slug, "" if removed else key)
    except NoReverseMatch:
        return RESOURCES[row.resource].url(row.workspace.slug)


def question(row: UnclearWrite) -> str:
    """What a person is asked who repeats it."""
    time = {"time": formats.minute(row.asked_at)}
    if row.state == WriteState.DONE:
        return _("This was already done at %(time)s. Do it again?") % time
    return _("This may already have been done at %(time)s. Do it again?") % time
