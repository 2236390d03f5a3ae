"""Browsers in which a person signed in before: wrong passwords from them are counted separately."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class KnownBrowser(models.Model):
    """One browser of one person. `digest` is of its cookie and the password: after a password change the browser is unknown."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField()

    class Meta:
        verbose_name = _("known browser")
        verbose_name_plural = _("known browsers")
        indexes = [models.Index(fields=["user", "-used_at"], name="known_browsers_of_person")]

    def __str__(self) -> str:
        return f"{self.user}: {self.used_at:%Y-%m-%d}"
