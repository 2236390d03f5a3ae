"""Finding people by part of a name, only among those whom the person who searches may see.

A person with a known user name or e-mail address is found without a directory (accounts.services.people.find_person).
"""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from workflows_ui.accounts.models import User
from workflows_ui.core.collation import has_words, plain, sort_key
from workflows_ui.members.models import LaunchRight, Member, Role, TeamOwner
from workflows_ui.members.services import access

#: The fewest characters of a part: shorter ones fit nearly everybody.
SHORTEST = 2
#: The most people that are offered for a part.
OFFERED = 8


def adds_people(viewer: User) -> bool:
    """Whether the person adds people anywhere: administrators, managers of a workspace and owners of a team."""
    return (
        viewer.is_superuser
        or Member.objects.filter(access.held_by(viewer), role=Role.MANAGER).exists()
        or TeamOwner.objects.filter(user=viewer).exists()
    )


def visible_people(viewer: User, *, everyone: bool = False, closed: Collection[int] = ()) -> QuerySet[User]:
    """The active people whom a person who adds people sees on other pages, too: nobody for those who add nobody.

    Those are the colleagues in workspaces where they have a role, the holders of launch rights in workspaces that they manage (without
    `closed` workspaces, given by primary key), and the people of the teams that they are in or own. `everyone`: all, for administrators.
    """
    people = User.objects.filter(is_active=True)
    if everyone and viewer.is_superuser:
        return people
    if not adds_people(viewer):
        return people.none()
    roles = Member.objects.filter(access.held_by(viewer)).exclude(workspace__in=closed)
    members = Member.objects.filter(workspace__in=roles.values("workspace"))
    managed = roles.filter(role=Role.MANAGER).values("workspace")
    rights = LaunchRight.objects.filter(workspace__in=managed, revoked_at=None)
    teams = Q(group__in=viewer.groups.all()) | Q(group__in=TeamOwner.objects.filter(user=viewer).values("team"))
    visible = Q(pk=viewer.pk)
    for rows in (members, rights):
        visible |= Q(pk__in=rows.filter(user__isnull=False).values("user"))
        teams |= Q(group__in=rows.filter(team__isnull=False).values("team"))
    return people.filter(visible | Q(pk__in=User.groups.through.objects.filter(teams).values("user")))


def search(people: QuerySet[User], text: str) -> list[User]:
    """The first of these people whose name, user name or address contains each word of the text, ignoring accents and case."""
    words = plain(text).split()[:6]
    if len("".join(words)) < SHORTEST:
        return []
    return matching(people, words, OFFERED)


def matching(people: QuerySet[User], words: Collection[str], most: int) -> list[User]:
    """The first of these people, by name, whose name, user name or address contains each of these words, which are plain."""
    found = [
        (sort_key(f"{first} {last}".strip() or username), pk)
        for pk, username, first, last, email in people.values_list(
            "pk", "username", "first_name", "last_name", "email"
        ).iterator()
        if has_words(words, username, first, last, email)
    ]
    keys = [pk for _key, pk in sorted(found)[:most]]
    return sorted(people.filter(pk__in=keys), key=lambda user: (sort_key(user.label), user.pk))


def find_by_full_name(people: QuerySet[User], text: str) -> User | None:
    """The only one of these people with this full name, ignoring accents and case."""
    name = " ".join(plain(text).split())
    found = [user for user in search(people, text) if plain(user.label) == name]
    return found[0] if len(found) == 1 else None
