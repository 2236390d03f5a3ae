"""Django's sessions in the database, found by a prepared query."""

from datetime import datetime

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from workflows_ui.core.prepared import Prepared

_valid = Prepared(lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now), str, datetime)


class SessionStore(db.SessionStore):
    """The setting SESSION_ENGINE."""

    def _get_session_from_db(self) -> Session | None:
        found = _valid.first(self.session_key or "", timezone.now())
        if found is None:
            self._session_key = None
        return found
