"""Deleting with a copy: the form of such an action, and the errors that it shows."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Unpack

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core.form_arguments import FormArguments
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.deleted_objects import services as deleted_objects
from workflows_ui.deleted_objects.services import Content
from workflows_ui.engine import CredentialRefused, EngineError, NotFound, RateLimited, TooLarge, Unavailable
from workflows_ui.resource_admin.resource import Row
from workflows_ui.web import elements
from workflows_ui.web.messages import error_message

#: Name of the field that allows to delete without a copy.
WITHOUT = "without_copy"
#: Errors that concern more than the copy: a job pauses or ends with them.
_OTHERS = (NotFound, CredentialRefused, RateLimited, Unavailable)


class DeleteForm(forms.Form):
    """Offers to delete without a copy: for one object once a copy could not be made, for many beforehand."""

    without_copy = forms.BooleanField(
        label=gettext_lazy("Delete even if no copy can be kept"),
        required=False,
        help_text=gettext_lazy("What is deleted without a copy cannot be restored."),
    )

    def __init__(self, *, row: Row, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        if row and not self.is_bound:
            del self.fields[WITHOUT]


@contextmanager
def copy_before_deletion(
    session: EngineSession, kind: str, id: str, data: Mapping[str, object], read: Callable[[], Content]
) -> Iterator[None]:
    """Delete the object in the block, after a copy was stored, unless `data` says to do without one.

    Raises ValidationError if no copy can be made, EngineError.
    """
    if data.get(WITHOUT):
        yield
        return

    def content() -> Content:
        try:
            return read()
        except EngineError as error:
            if isinstance(error, _OTHERS) and not isinstance(error, TooLarge):
                raise
            raise _no_copy(str(error_message(error).text)) from error

    try:
        with deleted_objects.copy_stored(session, kind, id, content):
            yield
    except deleted_objects.TooLargeToKeep as error:
        raise _no_copy(_("It is too large.")) from error


def answer(session: EngineSession, data: Mapping[str, object]) -> dict[str, object]:
    """The answer of a deletion, as `done` expects it."""
    return {"workspace": session.workspace.slug, "kept": not data.get(WITHOUT)}


def done(text: str, deleted: Mapping[str, object]) -> str:
    """The message of a deletion, with a link to the copy if one was kept."""
    if not deleted["kept"]:
        return text
    url = reverse("recently_deleted", args=[deleted["workspace"]])
    return elements.linked(text, url, _("Recently deleted"))


def _no_copy(why: str) -> forms.ValidationError:
    text = _("Nothing was deleted, since no copy can be kept: %(why)s You can delete it without a copy.")
    return forms.ValidationError({WITHOUT: text % {"why": why}})
