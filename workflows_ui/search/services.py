"""What the console's own database finds for a person. Texts are compared without case and accents: "don hang" finds "Đơn hàng"."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from workflows_ui.accounts.models import User
from workflows_ui.core.collation import has_words, plain
from workflows_ui.core.secret_names import mask_text, names_secret
from workflows_ui.home import services as visits
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches.models import Launch, LaunchInput
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Member, Role
from workflows_ui.members.services import directory, launch_rights
from workflows_ui.members.services.access import Access
from workflows_ui.run_index.services import launch_words, parts

#: The most results of a kind; the newest launches that are compared without accents (all are searched as they are written).
MOST, NEWEST = 6, 500
#: Ids of launches and of the engine.
_ID = re.compile(r"[0-9A-Za-z]{21}")


@dataclass(frozen=True)
class Text:
    """What was typed: as it is, and its words without case and accents."""

    typed: str
    words: tuple[str, ...]

    @classmethod
    def read(cls, typed: str) -> "Text":
        typed = " ".join(typed.replace("\x00", "").split())[:200]
        return cls(typed, tuple(plain(typed).split()))

    @property
    def id(self) -> str:
        """The text if it may be an id, else ""."""
        return self.typed if _ID.fullmatch(self.typed) else ""

    def after(self, verb: str) -> "Text":
        """The text without words of a verb that it begins with: "launch order" names the order."""
        verbs = plain(verb).split()
        count = next((place for place, word in enumerate(self.words) if word not in verbs), len(self.words))
        return Text(" ".join(self.typed.split()[count:]), self.words[count:])

    def matches(self, *texts: object) -> bool:
        """Whether each word is in one of the texts."""
        return has_words(self.words, *texts)

    def best(self, names: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Of (key, name), the best matches; those that start with the text first, else in the given order."""
        start = " ".join(self.words)
        found = [(key, name) for key, name in names if self.matches(name)]
        return sorted(found, key=lambda pair: not plain(pair[1]).startswith(start))[:MOST]


@dataclass(frozen=True)
class FoundLaunch:
    id: str
    flow_name: str
    person: str
    state: str
    reason: str
    asked_at: datetime
    run_id: str = ""


def launchable_flows(access: Access, text: Text) -> list[tuple[str, str]]:
    """Flows that the person may launch, as (id, name): those launched last first, then favourites, then those with a form."""
    names = {right.flow_id: right.flow_name or right.flow_id for right in launch_rights.flows(access)}
    if access.allows(Role.LAUNCHER):
        latest = Launch.objects.filter(workspace=access.workspace, user=access.user).order_by("-asked_at")
        known: list[Mapping[str, str]] = [
            dict(latest.values_list("flow_id", "flow_name")[:100]),
            visits.favourites(access.user, access.workspace),
            dict(launch_forms.all_published(access.workspace).values_list("flow_id", "flow_name")),
        ]
        for more in known:
            names = {**names, **{key: name for key, name in more.items() if key not in names}}
    return text.best((key, name or key) for key, name in names.items())


def latest_launches(access: Access, text: Text) -> list[FoundLaunch]:
    """Launches that the person may open, newest first: by id, run, flow, person, a searchable input or words of inputs and answers."""
    rows = launches.visible_launches(access)
    if not text.words:
        return _read(rows[:MOST])
    found = {row.id: row for row in _read(rows.filter(Q(pk=text.id) | Q(run_id=text.id)))} if text.id else {}
    newest = _read(rows[:NEWEST])
    inputs = _inputs(access, newest)
    for row in newest:
        if text.matches(row.flow_name, row.person, *inputs.get(row.id, ())):
            found.setdefault(row.id, row)
    if len(found) < MOST and len(newest) == NEWEST:
        found |= {row.id: row for row in _read(rows.filter(launches.with_text(text.typed))[:MOST])}
    if len(found) < MOST:
        with_words = launch_words.found_by(access.workspace, text.typed, rows).condition
        if with_words != parts.NOTHING:
            found |= {row.id: row for row in _read(rows.filter(with_words)[:MOST])}
    return sorted(found.values(), key=lambda row: (row.id != text.id, -row.asked_at.timestamp()))[:MOST]


def people(access: Access, text: Text) -> list[User]:
    """The workspace's members, for managers."""
    if not text.words or not access.allows(Role.MANAGER):
        return []
    members = Member.objects.filter(workspace=access.workspace)
    rows = User.objects.filter(Q(pk__in=members.values("user")) | Q(groups__in=members.values("team"))).distinct()
    return directory.matching(rows, text.words, MOST)


def _read(rows: QuerySet[Launch]) -> list[FoundLaunch]:
    person = ("user__first_name", "user__last_name", "user__username")
    columns = rows.values_list("pk", "flow_name", "flow_id", *person, "state", "reason", "asked_at", "run_id")
    return [
        FoundLaunch(key, name or flow, f"{first} {last}".strip() or username, state, reason, asked_at, run_id)
        for key, name, flow, first, last, username, state, reason, asked_at, run_id in columns
    ]


def _inputs(access: Access, found: Sequence[FoundLaunch]) -> dict[str, list[str]]:
    """The searchable inputs of these launches, by launch; without what looks like a secret."""
    if not found:
        return {}
    rows = LaunchInput.objects.filter(launch__workspace=access.workspace, launch__asked_at__gte=found[-1].asked_at)
    texts: dict[str, list[str]] = {}
    for key, name, label, written in rows.values_list("launch_id", "name", "label", "text"):
        if not names_secret(name) and not names_secret(label):
            texts.setdefault(key, []).append(mask_text(written))
    return texts
