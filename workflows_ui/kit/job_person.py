"""A job's person: the worker works in their language and time zone, with their rights and their credential as these are now."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import timezone, translation

from workflows_ui.kit import caller
from workflows_ui.kit.caller import Caller
from workflows_ui.models import Job, Role
from workflows_ui.services import access


@contextmanager
def preferences(job: Job) -> Iterator[None]:
    """The language in which the job was asked for, and the person's time zone: days in filters are theirs."""
    language = job.language if job.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(job.user.zone):
        yield


def check(job: Job, role: Role) -> access.Access:
    """The person's place in the workspace, if it (still) reaches. Raises NoAccess, NotAllowed."""
    place = access.find(job.user, job.workspace.slug)
    place.require(role)
    return place


def caller_of(job: Job, role: Role) -> Caller:
    """The person at the engine. Raises NoAccess, NotAllowed, NoCredential, CannotOpen, AddressRefused."""
    return caller.of(check(job, role))
