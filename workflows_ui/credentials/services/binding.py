"""Re-seals credentials that were sealed before ciphertexts were bound to workspace, address, kind and owner; marks workspaces.

Used by the migration that introduced the binding, and by `manage.py bind_credentials`. Both pass `apps`, since a migration has historical
models. A row that contradicts the audit log, or that no key opens, is not changed: it does not open. Only rows of the audit log whose
position in the chain can be proved count.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import hash_chain
from workflows_ui.audit.services.hash_chain import Head
from workflows_ui.core import crypto
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.models import binding
from workflows_ui.members.models import place as place_of

#: Audit actions that record the kind of a credential's secret.
_KIND_ROWS = ("credential.add", "credential.replace", "credential.put_back")
_OF_CREDENTIALS = (*_KIND_ROWS, "credential.pass_on", "credential.hand_over", "credential.share")
_OF_WORKSPACES = ("workspace.create", "workspace.move")
SEALED = ("secret", "password")
_SILENT = "it is not in the audit log"


@dataclass(frozen=True)
class Row:
    """The result for a row. `why`: the reason that it is not bound, empty if it is; `done`: it was bound in this run."""

    label: str
    why: str = ""
    done: bool = False


@dataclass(frozen=True)
class _Story:
    """The audit log's records of a credential; None without a record."""

    workspace: int | None = None
    owner: int | None = None
    kind: str | None = None
    handed_over: bool = False


class Log:
    """The audit log's records of workspaces and credentials: the newest row of a kind whose position in the chain is proved, or not
    assigned yet. All rows are read once."""

    def __init__(self, apps: Any) -> None:
        self._apps = apps
        self._rows: dict[tuple[str, str], list[Any]] = {}
        rows = apps.get_model("workflows_ui", "AuditEvent").objects.filter(outcome="done")
        for row in rows.filter(action__in=[*_OF_WORKSPACES, *_OF_CREDENTIALS]).order_by("-pk").iterator():
            subject = str(row.workspace_id) if row.action in _OF_WORKSPACES else row.object_id
            self._rows.setdefault((row.object_type, subject), []).append(row)

    def credential_story(self, credential: Any) -> _Story:
        pk = str(credential.pk)
        added, kind = self.last("credential", pk, ("credential.add",)), self.last("credential", pk, _KIND_ROWS)
        passed = self.last("credential", pk, ("credential.pass_on",))
        shared = self.last("credential", pk, ("credential.hand_over", "credential.share"))
        known = added or kind or shared
        return _Story(
            workspace=known.workspace_id if known else None,
            owner=added.user_id if added and passed is None else None,
            kind=kind.detail.get("kind") if kind else None,
            handed_over=shared is not None,
        )

    def last(self, kind: str, subject: str, actions: tuple[str, ...]) -> Any:
        rows = self._rows.get((kind, subject), [])
        return next((row for row in rows if row.action in actions and _is_proved(self._apps, row)), None)


def owner_of_record(apps: Any, log: Log, credential: Any) -> int | None:
    """The new owner of a team's credential: the person who added it by the audit log, if active; else the workspace's first manager;
    else a superuser, else any account. None if there is no account."""
    people = apps.get_model("workflows_ui", "User").objects
    added = log.credential_story(credential).owner
    if added is not None and people.filter(pk=added, is_active=True).exists():
        return added
    members = apps.get_model("workflows_ui", "Member").objects
    managers = members.filter(workspace_id=credential.workspace_id, role="manager").order_by("created_at", "pk")
    for member in managers:
        if member.user_id is not None:
            person = people.filter(pk=member.user_id, is_active=True).first()
        else:
            person = people.filter(groups=member.team_id, is_active=True).order_by("pk").first()
        if person is not None:
            return int(person.pk)
    fallback = people.order_by("-is_active", "-is_superuser", "pk").first()
    return int(fallback.pk) if fallback is not None else None


def handed_over(log: Log, credential: object) -> bool:
    """Whether the audit log records that a credential was given to a team, or has no record about it."""
    story = log.credential_story(credential)
    return story.handed_over or story == _Story()


def bind(apps: Any, *, check: bool = False, unknown: bool = False) -> Iterator[Row]:
    """Mark workspaces and re-seal credentials with their replaced secrets, row by row. With `check` nothing is changed. Rows without
    a record in the audit log are skipped unless `unknown`."""
    log, changed = Log(apps), dict[int, str]()
    for workspace in apps.get_model("workflows_ui", "Workspace").objects.order_by("pk"):
        row = _workspace(log, workspace, check=check, unknown=unknown)
        if row.why:
            changed[workspace.pk] = row.why
        yield row
    credentials = apps.get_model("workflows_ui", "Credential").objects.select_related("workspace")
    for credential in credentials.order_by("pk"):
        story = log.credential_story(credential)
        why = changed.get(credential.workspace_id) or _difference(credential, story)
        if story == _Story() and not unknown:
            why = why or _SILENT
        yield _seal(credential, credential, why, check=check)
        replaced = apps.get_model("workflows_ui", "CredentialSecret").objects.filter(credential=credential)
        for secret in replaced.filter(destroyed_at=None).order_by("pk"):
            yield _seal(secret, credential, why, check=check)


def _workspace(audited: Log, workspace: Any, *, check: bool, unknown: bool) -> Row:
    result = Row(_label(workspace, workspace.name, workspace))
    context = crypto.bind(f"workflows_ui.workspace:{workspace.pk}:mark", place_of(workspace))
    if crypto.is_mark(workspace.mark, context):
        return result
    if workspace.mark:
        return replace(result, why="flavour, address or project were changed")
    event = audited.last("workspace", str(workspace.pk), _OF_WORKSPACES)
    if event is None and not unknown:
        return replace(result, why=_SILENT)
    if event is not None:
        detail = event.detail
        wrong = [name for name, value in place_of(workspace).items() if name in detail and detail[name] != value]
        if wrong:
            return replace(result, why=f"another {', '.join(wrong)} in the audit log")
    if not check:
        workspace.mark = crypto.mark(context)
        workspace.save(update_fields=["mark"])
    return replace(result, done=True)


def _difference(credential: Any, story: _Story) -> str:
    current = {"workspace": credential.workspace_id, "owner": credential.owner_id, "kind": str(credential.kind)}
    recorded = {"workspace": story.workspace, "owner": story.owner, "kind": story.kind}
    if story.handed_over:
        # `owner_of_record` chose the owner.
        recorded["owner"] = None
    wrong = [name for name, value in current.items() if recorded[name] is not None and recorded[name] != value]
    return f"another {', '.join(wrong)} in the audit log" if wrong else ""


def _seal(row: Any, credential: Any, why: str, *, check: bool) -> Row:
    result = Row(_label(row, credential.name, credential.workspace))
    values = binding(row, credential.workspace, credential.owner_id)
    if row is not credential:
        values |= {"credential": str(credential.pk)}
    new: dict[str, str] = {}
    for field in SEALED:
        ciphertext = getattr(row, field)
        if not ciphertext:
            continue
        # A migration's historical model has the columns, but no methods.
        unbound = f"{row._meta.label_lower}:{row.pk}:{field}"  # noqa: SLF001
        context = crypto.bind(unbound, values)
        with contextlib.suppress(CannotOpen):
            crypto.unseal(ciphertext, context)
            continue
        try:
            new[field] = crypto.seal(crypto.unseal(ciphertext, unbound), context)
        except crypto.Changed:
            return replace(result, why="it is bound to other values, or was copied from another row")
        except CannotOpen:
            return replace(result, why="no key opens it")
    if not new:
        return result  # It opens already: the audit log does not matter.
    if why:
        return replace(result, why=why)
    if not check:
        old = {field: getattr(row, field) for field in new}
        if not type(row).objects.filter(pk=row.pk, **old).update(**new):
            return replace(result, why="it was changed while it was re-sealed")
    return replace(result, done=True)


def _is_proved(apps: Any, row: Any) -> bool:
    """Whether an audit row matches its canonical text, and the text its mark. A row whose key is gone, or without a mark yet, is
    accepted."""
    # The row may be one of a migration, without the columns and methods of today.
    copy = AuditEvent(canonical=row.canonical, **{name: getattr(row, name, None) for name in AuditEvent.CANONICAL})
    if copy.compute_canonical() != row.canonical:
        return False
    if row.number is None or not any(hash_chain.key_id(key) == row.key for key in settings.AUDIT_KEY):
        return True
    events = apps.get_model("workflows_ui", "AuditEvent").objects
    before = events.filter(number=row.number - 1).values_list("mark", flat=True).first()
    if before is None:
        checkpoints = apps.get_model("workflows_ui", "AuditCheckpoint").objects
        before = checkpoints.filter(number=row.number - 1).values_list("mark", flat=True).first() or ""
    mark = hash_chain.row_digest(row.key, Head(row.number - 1, before), row.pk, row.canonical)
    return hash_chain.digests_equal(mark, row.mark)


def _label(row: Any, name: str, workspace: Any) -> str:
    return f"{type(row).__name__} {row.pk} “{name}” in {workspace.slug}"


def line(row: Row) -> str:
    return f"{row.label}: {row.why}" if row.why else row.label
