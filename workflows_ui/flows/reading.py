"""Reading flows as the engine sends them, with missing or malformed parts: name, trigger and start, draft, folder, connections."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import formats
from workflows_ui.core.collation import sort_key
from workflows_ui.core.paths import dict_at, dicts_at, text_at
from workflows_ui.core.readers import as_count, plain_text
from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession, cached
from workflows_ui.engine import Forbidden, NotFound, NotInPlan
from workflows_ui.engine_objects.flows import ENABLED, Flow, Step
from workflows_ui.flows.cron_messages import describe_schedule
from workflows_ui.launches import flow_facts
from workflows_ui.pieces import apps, connections as connection_list
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.resource import Row, id_at, pick

_LONGEST_START = 100
#: Pages of the engine's users that are read, a hundred each.
_MOST_PAGES = 20
_STARTS = {"nothing": _("No trigger chosen yet"), "call": _("Webhook"), "form": _("Form")}
#: Cache names of the folders and of the owners of flows (credentials.services.engine_session), and maximum length of a name.
FOLDERS, OWNERS, _LONGEST = "folders-counted", "flow-owners", 200

#: Fields of steps that may hold plain secrets: passwords of triggers (api.md 7.3), and keys entered without a connection.
SECRETS = frozenset(
    {
        "password",
        "headerValue",
        "apiKey",
        "api_key",
        "apikey",
        "token",
        "accessToken",
        "access_token",
        "secret",
        "clientSecret",
    }
)


@cached(FOLDERS, 60, {})
def folders(session: EngineSession) -> dict[str, tuple[str, int | None]]:
    """Name and number of flows of each folder of the workspace, by id, at most a minute old; empty if the engine does not give them. The
    number is a text in 0.72 (recording `folders_list`); None if the engine does not say.
    """
    rows = whole_lists.rows_of(session.workflows.list_folders(limit=whole_lists.AT_ONCE))
    return {
        str(row["id"]): (_visible_name(row.get("displayName"), str(row["id"])), as_count(row.get("numberOfFlows")))
        for row in rows
        if row.get("id")
    }


def folder_names(session: EngineSession) -> dict[str, str]:
    """Names of the workspace's folders by id, as `folders`."""
    return {key: name for key, (name, _number) in folders(session).items()}


def folder_choices(session: EngineSession, none: str = "") -> list[tuple[str, Text]]:
    """The folders, preceded by the choice of no folder, which has the value `none`."""
    names = sorted(folder_names(session).items(), key=lambda pair: sort_key(pair[1]))
    return [(none, _("In no folder")), *names]


@cached("connection-names", 60, {}, optional=True)
def connection_names(session: EngineSession) -> dict[str, tuple[str, str]]:
    """(id, name) of the connections by the external id that flows use; empty if unknown, or if a quick session would need a call."""
    rows, _following = connection_list.chunk(session, "")
    keys = ((row, text_at(row, "externalId")) for row in rows)
    return {key: (text_at(row, "id"), _visible_name(row.get("displayName"), key)) for row, key in keys if key}


@cached("table-names", 60, {}, optional=True)
def table_names(session: EngineSession) -> dict[str, tuple[str, str]]:
    """The same of the workspace's tables, by their ids and external ids."""
    result: dict[str, tuple[str, str]] = {}
    for row in dicts_at(session.workflows.list_tables(limit=whole_lists.AT_ONCE), "data"):
        if id_at(row):
            entry = (id_at(row), text_at(row, "name")[:_LONGEST] or id_at(row))
            result |= dict.fromkeys(filter(None, (id_at(row), text_at(row, "externalId"))), entry)
    return result


def known_apps(session: EngineSession) -> dict[str, apps.App]:
    """The apps by their pieces, if the catalogue is cached. Makes no call."""
    return {app["name"]: app for app in session.known(apps.CATALOGUE, list[apps.App]())}


def app_marks(known: Mapping[str, Row], pieces: Iterable[str]) -> list[apps.Mark]:
    """Apps by their `known_apps`, else by a short form of their whole names."""
    return [apps.mark_of(known[name]) if name in known else apps.mark(apps.short(name)) for name in pieces]


def _visible_name(name: object, key: str) -> str:
    """A visible name, else the key."""
    return name[:_LONGEST] if formats.visible(name) else key


@dataclass(frozen=True)
class Change:
    """The last change of a flow's newest version: when, and by whom ("" if the engine gives no name)."""

    at: datetime
    by: str


@cached("flow-change", 60, None)
def last_change(session: EngineSession, flow_id: str) -> Change | None:
    """Who last changed a flow (api.md 6.2); None if the engine does not say. Three calls at most."""
    version = Flow(session.workflows.get_flow(flow_id)).version
    at, person = version.updated, version.updated_by
    return Change(at, people_names(session).get(person, "") if person else "") if at else None


def owner_of(session: EngineSession, flow: Row) -> str:
    """The name of the flow's owner, which engines have since 0.83; "" if unknown, or if a quick session would need a call."""
    owner = id_at(flow, "ownerId")
    return owner_names(session, [owner]).get(owner, "") if owner else ""


def owner_names(session: EngineSession, ids: Collection[str]) -> Mapping[str, str]:
    """Names of owners of flows by id, with those of other people; without those that are not known, or for which a quick session would
    need a call.
    """
    found = _people_names(session)
    if all(owner in found for owner in ids):
        return found
    return {key: name for key, (name, _active) in _known_people(session).items()} | found


def remembered_people(session: EngineSession) -> dict[str, str]:
    """The names of people by id that are cached. Makes no call."""
    listed = session.known("people-listed", dict[str, tuple[str, bool]]())
    return {key: name for key, (name, _active) in listed.items()} | session.known("people-names", dict[str, str]())


def owner_choices(session: EngineSession) -> list[tuple[str, Text]]:
    """The owners of the flows that the engine lists first, by name; empty if a quick session would need a call."""
    owners = _known_owners(session)
    names = owner_names(session, owners) if owners else {}
    named = [(key, names[key]) for key in owners if key in names]
    return [*sorted(named, key=lambda pair: sort_key(pair[1]))]


def keep_owners(session: EngineSession, rows: Iterable[Row]) -> list[str]:
    """Remember the owners of the flows that the engine lists first, which a list of all flows has read."""
    return session.remember(OWNERS, 600, lambda: _owners_of(rows))


def people(session: EngineSession) -> dict[str, str]:
    """Names by id of the people who are known in this project: `people_names`, and the owners of the flows that the engine lists first.

    The free edition lists no members of a project, and an administrator's credential lists the people of all projects, so of that list
    only names are taken; `other_people` are the rest of it.
    """
    found = dict(people_names(session))
    if unnamed := [owner for owner in _flow_owners(session) if owner not in found]:
        listed = _listed_people(session)
        found |= {owner: listed[owner][0] if owner in listed else owner for owner in unnamed}
    return _by_name(found)


def other_people(session: EngineSession) -> dict[str, str]:
    """Names by id of the engine's other active users, for an administrator's credential: any of them can own a flow, also one who may not
    see the project (recording `flow_op_update_owner_02_member_without_role_here`).
    """
    known = people(session)
    listed = _listed_people(session).items()
    return _by_name({key: name for key, (name, active) in listed if active and key not in known})


def _by_name(found: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(found.items(), key=lambda item: sort_key(item[1])))


@cached("people-listed", 600, {})
def _listed_people(session: EngineSession) -> dict[str, tuple[str, bool]]:
    """Name and whether active of each user of the engine, by id; for administrators only."""
    found: dict[str, tuple[str, bool]] = {}
    cursor: str | None = None
    for _page in range(_MOST_PAGES):
        answer = session.workflows.list_users(cursor=cursor)
        for row in dicts_at(answer, "data"):
            if id_at(row) and (name := person_name(row)):
                found[id_at(row)] = name, row.get("status") == "ACTIVE"
        cursor = text_at(answer, "next") or None
        if cursor is None:
            break
    return found


@cached("people-listed", 600, {}, optional=True)
def _known_people(session: EngineSession) -> dict[str, tuple[str, bool]]:
    return _listed_people(session)


@cached(OWNERS, 600, [])
def _flow_owners(session: EngineSession) -> list[str]:
    return _owners_of(dicts_at(session.workflows.list_flows(limit=100), "data"))


@cached(OWNERS, 600, [], optional=True)
def _known_owners(session: EngineSession) -> list[str]:
    return _flow_owners(session)


def _owners_of(flows: Iterable[Row]) -> list[str]:
    return sorted({id_at(flow, "ownerId") for flow in flows} - {""})


@cached("people-names", 600, {}, optional=True)
def _people_names(session: EngineSession) -> dict[str, str]:
    return people_names(session)


@cached("people-names", 600, {})
def people_names(session: EngineSession) -> dict[str, str]:
    """Names of people by id, as far as known: the credential's own (`users_me`) and the owners of connections (`conn_list_piece`)."""
    people: list[Row] = []
    # Each may be refused while the other is not: a key has no user, and some may not read connections.
    with suppress(Forbidden, NotFound, NotInPlan):
        people.append(session.workflows.get_current_user())
    with suppress(Forbidden, NotFound, NotInPlan):
        rows, _following = connection_list.chunk(session, "")
        people += [owner for row in rows if (owner := dict_at(row, "owner"))]
    return {id_at(person): name for person in people if id_at(person) and (name := person_name(person))}


def person_name(person: Row) -> str:
    """The name of one of the engine's users, else their address."""
    names = (person.get(key) for key in ("firstName", "lastName"))
    name = " ".join(part.strip() for part in names if formats.visible(part))
    return (name or text_at(person, "email"))[:80]


def name_of(flow: Row) -> str:
    """A flow's name, which is in its version; empty without one."""
    return Flow(flow).version.display_name


def trigger_of(flow: Row) -> dict[str, object] | None:
    """The trigger, the root of its steps; None without one."""
    return dict_at(flow, "version.trigger") or None


def moment_of(flow: Row) -> str:
    """A text that differs after each change of a flow."""
    return f"{pick(flow, 'version.id')} {pick(flow, 'version.updated')}"


def state_note(row: Row) -> Text:
    """A message in addition to on and off."""
    flow = Flow(row)
    if flow.deleting:
        return _("Being deleted")
    if not flow.is_published:
        return _("Never published")
    return _("Has changes that are not published") if flow.has_draft else ""


def pieces_of(steps: Iterable[object]) -> list[str]:
    """The whole names of the pieces that steps use, in their order, without duplicates."""
    names = (Step(step).settings.piece_name for step in steps)
    return list(dict.fromkeys(filter(None, names)))


def table_of(step: object) -> str:
    """The id or external id by which a step names the table that it reads or writes; "" for other steps."""
    settings = Step(step).settings
    return text_at(settings.input, "table_id") if settings.piece_name.endswith("/piece-tables") else ""


def start_label(flow: Row) -> str:
    """What starts the flow: a schedule installed in the engine (`triggerSource`, recording `flow_get_schedule`) before the draft's."""
    trigger = trigger_of(flow)
    start = flow_facts.start_of(trigger)
    if start == "schedule":
        return describe_schedule(*schedule_of(flow)) or str(_("Scheduled"))
    if start != "event":
        return str(_STARTS[start])
    step = Step(trigger)
    names = (name.strip()[:_LONGEST_START] for name in (step.display_name, step.settings.trigger_name))
    title, app = next(filter(None, names), ""), apps.short(step.settings.piece_name)[:_LONGEST_START]
    return f"{app}: {title}" if title else app


def schedule_of(flow: Row) -> tuple[str, str]:
    """The cron expression and the time zone of a schedule: the installed one, else the draft's; "" if not certain."""
    installed = Flow(flow).schedule
    cron = installed.cron_expression.strip()
    return (cron, installed.timezone) if cron else cron_and_zone(dict_at(trigger_of(flow), "settings"))


def next_times(row: Row, now: datetime | None = None) -> list[datetime]:
    """The next five times at which the flow starts; none if it is off, has no schedule, or the installed one is not certain."""
    flow = Flow(row)
    if flow.status != ENABLED or flow.deleting or flow_facts.start_of(trigger_of(row)) != "schedule":
        return []
    if flow.has_draft and not flow.schedule:
        return []
    return times_of(*schedule_of(row), now)


def times_of(cron: str, zone: str, now: datetime | None = None) -> list[datetime]:
    """The next five times of a cron expression in a time zone; none if it is not certain what it means."""
    try:
        start = (now or timezone.now()).astimezone(ZoneInfo(zone or "UTC"))
        # A sixth field would be read as seconds, which the engine does not have.
        return list(islice(CronSim(cron, start), 5)) if len(cron.split()) == 5 else []
    except (CronSimError, KeyError, ValueError, OSError):
        return []


def cron_and_zone(settings: Mapping[str, object]) -> tuple[str, str]:
    """The cron expression and the time zone of a schedule trigger's fields; "" if not certain."""
    values = dict_at(settings, "input")
    hour, every_day = _whole(values.get("hour_of_the_day")), values.get("run_on_weekends") is True
    crons = {
        "every_x_minutes": f"*/{_whole(values.get('minutes'))} * * * *",
        "every_hour": f"0 * * * {'*' if every_day else '1-5'}",
        "every_day": f"0 {hour} * * {'*' if every_day else '1-5'}",
        "every_week": f"0 {hour} * * {_whole(values.get('day_of_the_week'))}",
        "every_month": f"0 {hour} {_whole(values.get('day_of_the_month'))} * *",
        "cron_expression": text_at(values, "cronExpression").strip()[:_LONGEST_START],
    }
    cron = crons.get(str(settings.get("triggerName")), "")
    return ("" if "?" in cron else cron), text_at(values, "timezone").strip()[:_LONGEST_START]


def _whole(value: object) -> str:
    """A number as cron has it, or "?"."""
    text = plain_text(value).strip()
    return text[:9] if text.isascii() and text.isdecimal() else "?"
