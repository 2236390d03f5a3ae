"""When mails of notifications may be sent to a person: daily digest and quiet hours, in their time zone."""

from datetime import UTC, datetime, time, timedelta

from django.utils import timezone

from workflows_ui.accounts.models import MailDelivery, User

_DAY = timedelta(days=1)


def wanted(person: User) -> bool:
    return bool(person.mail_delivery != MailDelivery.NONE and person.email and person.is_active)


def due_at(person: User, earliest: datetime) -> datetime | None:
    """When a mail is due that could be sent at `earliest`; None if the person wants none."""
    if not wanted(person):
        return None
    due = next_digest(person, earliest) if person.mail_delivery == MailDelivery.DAILY else earliest
    return quiet_end(person, due) or due


def quiet_end(person: User, at: datetime) -> datetime | None:
    """The end of the quiet hours that `at` is in; None outside of them."""
    start, end = person.quiet_from, person.quiet_until
    if start is None or end is None or start == end:
        return None
    now = timezone.localtime(at, person.zone).time()
    quiet = start <= now < end if start < end else now >= start or now < end
    return _next(person, at, end) if quiet else None


def next_digest(person: User, after: datetime) -> datetime:
    """The first time of the digest after a moment."""
    return _next(person, after, time(person.digest_hour))


def latest_digest(person: User, before: datetime) -> datetime:
    """The last time of the digest until a moment."""
    local = timezone.localtime(before, person.zone)
    digest = _on_day(local, time(person.digest_hour))
    return digest if digest <= before else _on_day(local - _DAY, time(person.digest_hour))


def _next(person: User, after: datetime, at: time) -> datetime:
    local = timezone.localtime(after, person.zone)
    moment = _on_day(local, at)
    return moment if moment > after else _on_day(local + _DAY, at)


def _on_day(day: datetime, at: time) -> datetime:
    """A time of day on the day of a local time, in UTC: clocks may change in between."""
    return datetime.combine(day.date(), at, day.tzinfo).astimezone(UTC)
