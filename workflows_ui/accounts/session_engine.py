"""Django's sessions in the database, looked up by a prepared query: every request does it."""

from datetime import datetime

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from workflows_ui.core.prepared import Prepared

_valid_data = Prepared(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now).values_list(
        "session_data", flat=True
    ),
    str,
    datetime,
)


class SessionStore(db.SessionStore):
    """The setting SESSION_ENGINE."""

    def load(self) -> dict[str, object]:
        """The session's values; none if it has ended, which Django finds out and notes."""
        data = _valid_data.first(self.session_key or "", timezone.now())
        return super().load() if data is None else self.decode(data)
