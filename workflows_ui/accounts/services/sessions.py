"""Sessions of people, and ending them. Sessions are database rows, so that they end immediately."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor


def user_sessions(user: User) -> list[UserSession]:
    """The person's valid sessions, newest first."""
    return sorted(UserSession.objects.purge_and_list(user), key=lambda row: (row.created_at, row.pk), reverse=True)


def end(actor: Actor, user: User, session_id: int) -> bool:
    """End one session of the person; return False if it does not exist."""
    row = UserSession.objects.filter(user=user, pk=session_id).first()
    if row is None:
        return False
    row.end()
    audit_log.record(actor, "person.sessions_end", user, count=1)
    return True


def end_others(actor: Actor, user: User, *, but: str | None) -> int:
    """End all sessions of the person except the one with the key `but`; return their number."""
    count = close(user, but=but)
    if count:
        audit_log.record(actor, "person.sessions_end", user, count=count)
    return count


def end_all(actor: Actor, user: User) -> None:
    """End all sessions of the person, who can sign in again."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
        close(user)
        audit_log.record(actor, "person.end_sessions", user)


def keep_to_limit(actor: Actor, user: User, key: str) -> int:
    """End the person's oldest sessions beyond SESSIONS_PER_PERSON after a sign-in, never the new one (`key`); return their number."""
    most: int = settings.SESSIONS_PER_PERSON
    if not most:
        return 0
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # serializes concurrent sign-ins
        surplus = [row for row in user_sessions(user) if row.session_key != key][most - 1 :]
        for row in surplus:
            cache.set(_ended_cache_key(row.session_key), True, settings.SESSION_COOKIE_AGE)
            row.end()
        if surplus:
            audit_log.record(actor, "person.sessions_end", user, count=len(surplus), why="limit")
    return len(surplus)


def ended_by_limit(key: str) -> bool:
    """Whether the session with this key was ended by the limit."""
    return cache.get(_ended_cache_key(key)) is True


def end_idle(actor: Actor, user: User, key: str | None) -> None:
    for row in UserSession.objects.filter(user=user, session_key=key or ""):
        row.end()
    audit_log.record(actor, "person.sessions_end", user, count=1, why="idle")


def close(user: User, *, but: str | None = None) -> int:
    """Delete all sessions of a person except `but`; return their number. The caller writes the audit row."""
    rows = list(UserSession.objects.filter(user=user).exclude(session_key=but or ""))
    Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
    UserSession.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def purge() -> None:
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    # Older than a day, to spare sign-ins in progress.
    records = UserSession.objects.filter(created_at__lt=now - timedelta(days=1))
    records.exclude(session_key__in=Session.objects.values("session_key")).delete()


def _ended_cache_key(key: str) -> str:
    """The cache key for a session ended by the limit; core/caching.py stores only its digest."""
    return f"session-ended:{key}"
