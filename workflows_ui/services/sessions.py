"""The browsers in which a person is signed in, and ending their sessions. Sessions are rows, so that an ended one ends at once."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from workflows_ui.models import User
from workflows_ui.services import audit
from workflows_ui.services.audit import Actor


def of(user: User) -> list[UserSession]:
    """The person's sessions that still hold, newest first."""
    return sorted(UserSession.objects.purge_and_list(user), key=lambda row: (row.created_at, row.pk), reverse=True)


def end(actor: Actor, user: User, session_id: int) -> bool:
    """Ends one session of the person's. False where they have none with this number."""
    row = UserSession.objects.filter(user=user, pk=session_id).first()
    if row is None:
        return False
    row.end()
    _record(actor, user, 1)
    return True


def end_others(actor: Actor, user: User, *, but: str | None) -> int:
    """Ends all sessions of the person's except the one with the key `but`; how many there were."""
    rows = list(UserSession.objects.filter(user=user).exclude(session_key=but or ""))
    Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
    UserSession.objects.filter(pk__in=[row.pk for row in rows]).delete()
    if rows:
        _record(actor, user, len(rows))
    return len(rows)


def close(user: User) -> int:
    """Removes all sessions of a person, as a part of something that writes its own audit row; how many there were."""
    rows = list(UserSession.objects.filter(user=user))
    Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
    UserSession.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def purge() -> None:
    """Removes sessions that are over, and what was noted about their browsers."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    # A day old, so that nobody is met who is signing in at this moment.
    noted = UserSession.objects.filter(created_at__lt=now - timedelta(days=1))
    noted.exclude(session_key__in=Session.objects.values("session_key")).delete()


def _record(actor: Actor, user: User, count: int) -> None:
    audit.record(
        actor,
        "person.sessions_end",
        object_type="person",
        object_id=str(user.pk),
        object_name=user.label,
        count=count,
    )
