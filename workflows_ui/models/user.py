"""A person who signs in to the console."""

import zoneinfo
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A local account. Language and time zone are empty until the person chooses; the console's own defaults hold then."""

    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    #: Whether news they asked for also comes by mail, at once.
    mail_news = models.BooleanField(_("news by mail"), default=True)

    #: Raised when all sessions of the person end at once: those that were opened before no longer fit.
    session_generation = models.PositiveIntegerField(default=0, editable=False)

    class Meta(AbstractUser.Meta):
        pass

    def get_session_auth_hash(self) -> str:
        """What a session must have been opened with to be this person's: the password as it is, and the generation."""
        return self._of_generation(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same with secret keys that are on their way out."""
        for found in super().get_session_auth_fallback_hash():
            yield self._of_generation(found)

    def _of_generation(self, found: str) -> str:
        return f"{found}.{self.session_generation}" if self.session_generation else found

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone in which times are shown to the person: their own, else the console's, also where theirs is none any more."""
        try:
            return zoneinfo.ZoneInfo(self.time_zone or settings.TIME_ZONE)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return zoneinfo.ZoneInfo(settings.TIME_ZONE)

    @property
    def label(self) -> str:
        """The name shown to colleagues: full name, or the user name where there is none."""
        return self.get_full_name() or self.username
