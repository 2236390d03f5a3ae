"""A person who signs in to the console."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A local account. Language and time zone are empty until the person chooses; the console's own defaults hold then."""

    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)

    class Meta(AbstractUser.Meta):
        pass

    @property
    def label(self) -> str:
        """The name shown to colleagues: full name, or the user name where there is none."""
        return self.get_full_name() or self.username
