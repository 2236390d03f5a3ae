"""What people own in their accounts: sessions."""

from collections.abc import Iterator

from allauth.usersessions.models import UserSession
from django.urls import reverse
from django.utils.translation import gettext_lazy as _, ngettext

from workflows_ui.accounts.services import sessions
from workflows_ui.offboarding.belongings import Found, Item, Owned, Scope


def _sessions(found: Found[UserSession]) -> Iterator[Item]:
    rows = sessions.user_sessions(found.person) if found.reach.unrestricted else []
    if rows:
        count = len(rows)
        name = ngettext("Signed in with %(n)s browser", "Signed in with %(n)s browsers", count) % {"n": count}
        url = reverse("sessions") if found.reach.scope is Scope.OWN else ""
        ends, at = found.reach.administers, rows[0].created_at
        yield Item(found.kind, "all", name, row=found.person, ends=ends, at=at, url=url)


SESSION = Owned(
    name="session",
    model=UserSession,
    owner="user",
    workspace="",
    icon="monitor",
    title=_("Sessions"),
    otherwise=_("All of them end when the account is deactivated."),
    end_label=_("Sign out everywhere"),
    moment=_("Last sign-in"),
    items=_sessions,
    end=sessions.end_all,
)
