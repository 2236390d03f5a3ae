"""The launch forms of flows: draft, publish, versions, back to an old one, files. All within one workspace."""

import json
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from workflows_ui.forming import rules, schema_in, schema_out
from workflows_ui.forming.document import Form
from workflows_ui.models import LaunchForm, LaunchFormVersion, Role, Workspace
from workflows_ui.services import access, audit, clock, database


class Stale(Exception):
    """Somebody else (or another tab) changed the form meanwhile; nothing was written. `form` is the row as it is now, None if gone."""

    def __init__(self, form: LaunchForm | None) -> None:
        super().__init__(form)
        self.form = form


class NothingToPublish(Exception):
    """There is no draft."""


class NothingToUndo(Exception):
    """The draft was not changed since it was begun or published."""


def of(workspace: Workspace, flow_id: str) -> LaunchForm | None:
    """The flow's form in this workspace, with `published` and `updated_by`; None where nobody has made one."""
    rows = LaunchForm.objects.filter(workspace=workspace, flow_id=flow_id)
    return rows.select_related("workspace", "published", "published__published_by", "updated_by").first()


def all_published(workspace: Workspace) -> QuerySet[LaunchForm]:
    """The workspace's forms that launchers can use, by the flow's name."""
    rows = LaunchForm.objects.filter(workspace=workspace, published__isnull=False)
    return rows.select_related("published").order_by("flow_name", "pk")


def draft_of(row: LaunchForm) -> Form | None:
    """What builders are working on; None where there is no draft. Raises crypto.CannotOpen."""
    text = row.open("draft")
    return schema_in.trusted(json.loads(text)) if text else None


def form_of(version: LaunchFormVersion) -> Form:
    """A published form. Raises crypto.CannotOpen."""
    return schema_in.trusted(json.loads(version.open("schema")))


def words_of(version: LaunchFormVersion) -> tuple[str, str]:
    """Note (Markdown) and button of a published form, "" for what is not said; its fields are not read. Raises crypto.CannotOpen."""
    return schema_in.words(json.loads(version.open("schema")))


def published(workspace: Workspace, flow_id: str) -> tuple[LaunchFormVersion, Form] | None:
    """What launchers of a flow see: the version and its form; None where nothing is published. Raises crypto.CannotOpen."""
    row = of(workspace, flow_id)
    if row is None or row.published is None:
        return None
    return row.published, form_of(row.published)


def save(
    actor: audit.Actor, place: access.Access, flow_id: str, flow_name: str, form: Form, *, lock: int | None
) -> LaunchForm:
    """Writes the draft. `lock` is the number of the row that the page was made from, None where there was no row.

    Raises access.NotAllowed for less than a builder, Stale where the row is not that one any more, forming.document.BadForm for
    a form that breaks its own rules (two fields of one name, a show-if about a field that is not there, ...).
    """
    place.require(Role.BUILDER)
    text = _text(form)
    now = clock.now()
    values: dict[str, Any] = {"flow_name": database.storable(flow_name), "updated_by": place.user, "updated_at": now}
    if lock is None:
        row = LaunchForm(workspace=place.workspace, flow_id=flow_id, lock=1, **values)
        row.draft = row.seal("draft", text)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
                _log(actor, row, "form.save", fields=len(form.fields))
        except IntegrityError:
            raise Stale(of(place.workspace, flow_id)) from None
        return row
    return _change(actor, place, flow_id, lock, "form.save", text, values, fields=len(form.fields))


def drop_draft(actor: audit.Actor, place: access.Access, flow_id: str, *, lock: int) -> LaunchForm:
    """Forgets the draft; what is published stays. Raises as `save`."""
    place.require(Role.BUILDER)
    values = {"updated_by": place.user, "updated_at": clock.now()}
    return _change(actor, place, flow_id, lock, "form.drop_draft", "", values)


def undo(actor: audit.Actor, place: access.Access, flow_id: str, *, lock: int) -> LaunchForm:
    """Takes back the last change of the draft; done again, it takes that back. Raises as `save`, and NothingToUndo."""
    place.require(Role.BUILDER)
    row = of(place.workspace, flow_id)
    if row is None or row.lock != lock:
        raise Stale(row)
    text = row.open("before")
    if not text:
        raise NothingToUndo(flow_id)
    if row.published is not None and text == row.published.open("schema"):
        text = ""  # as it is published: then there is no draft
    values = {"updated_by": place.user, "updated_at": clock.now()}
    return _change(actor, place, flow_id, lock, "form.undo", text, values)


def publish(actor: audit.Actor, place: access.Access, flow_id: str, *, lock: int, words: str = "") -> LaunchFormVersion:
    """Makes the draft the next version, which launchers see from now on; the draft is then empty.

    Raises as `save`, and NothingToPublish.
    """
    place.require(Role.BUILDER)
    with transaction.atomic():
        row = LaunchForm.objects.select_for_update().filter(workspace=place.workspace, flow_id=flow_id).first()
        if row is None or row.lock != lock:
            raise Stale(of(place.workspace, flow_id))
        text = row.open("draft")
        if not text:
            raise NothingToPublish(flow_id)
        now = clock.now()
        last = row.versions.order_by("-number").values_list("number", flat=True).first() or 0
        version = LaunchFormVersion(
            form=row, number=last + 1, published_by=place.user, published_at=now, words=database.storable(words)
        )
        version.schema = version.seal("schema", text)
        version.save(force_insert=True)
        row.published, row.draft, row.before, row.lock = version, "", "", row.lock + 1
        row.updated_by, row.updated_at = place.user, now
        row.save()
        _log(actor, row, "form.publish", version=version.number, words=version.words)
    return version


def unpublish(actor: audit.Actor, place: access.Access, flow_id: str, *, lock: int) -> LaunchForm:
    """Takes the form away from launchers; its versions stay, and the last one becomes the draft where there is none. Raises as `save`."""
    place.require(Role.BUILDER)
    row = of(place.workspace, flow_id)
    if row is None or row.lock != lock:
        raise Stale(row)
    draft = row.open("draft") or (row.published.open("schema") if row.published else "")
    values = {"published": None, "updated_by": place.user, "updated_at": clock.now()}
    return _change(actor, place, flow_id, lock, "form.unpublish", draft, values, undoable=False)


def versions(row: LaunchForm) -> QuerySet[LaunchFormVersion]:
    """All published versions, newest first."""
    return row.versions.select_related("published_by").order_by("-number")


def restore(actor: audit.Actor, place: access.Access, flow_id: str, number: int, *, lock: int) -> LaunchForm:
    """Makes an old version the draft; nothing is published by it. Raises as `save`, and LaunchFormVersion.DoesNotExist."""
    place.require(Role.BUILDER)
    old = LaunchFormVersion.objects.get(form__workspace=place.workspace, form__flow_id=flow_id, number=number)
    values = {"updated_by": place.user, "updated_at": clock.now()}
    return _change(actor, place, flow_id, lock, "form.restore", old.open("schema"), values, version=number)


def export(form: Form) -> str:
    """The form as a file: JSON Schema 2020-12, indented."""
    return json.dumps(schema_out.to_schema(form), ensure_ascii=False, indent=2) + "\n"


def read_file(content: bytes) -> Form:
    """The form of a file that `export` wrote, or of another JSON Schema. Raises forming.document.BadForm, whose text says why."""
    return schema_in.read(content)


def _text(form: Form) -> str:
    rules.check(form)
    return json.dumps(schema_out.to_schema(form), ensure_ascii=True, separators=(",", ":"))


def _change(
    actor: audit.Actor,
    place: access.Access,
    flow_id: str,
    lock: int,
    action: str,
    draft: str,
    values: dict[str, Any],
    *,
    undoable: bool = True,
    **detail: Any,
) -> LaunchForm:
    """One conditional UPDATE on the row's lock number, with its audit row. What the draft was, else what is published, can be had back."""
    row = of(place.workspace, flow_id)
    if row is None:
        raise Stale(None)
    before = (row.open("draft") or (row.published.open("schema") if row.published else "")) if undoable else ""
    values |= {"draft": row.seal("draft", draft), "before": row.seal("before", before)}
    with transaction.atomic():
        if not LaunchForm.objects.filter(pk=row.pk, lock=lock).update(lock=F("lock") + 1, **values):
            raise Stale(of(place.workspace, flow_id))
        _log(actor, row, action, **detail)
    changed = of(place.workspace, flow_id)
    if changed is None:
        raise Stale(None)
    return changed


def _log(actor: audit.Actor, row: LaunchForm, action: str, **detail: Any) -> None:
    audit.record(
        actor,
        action,
        workspace=row.workspace,
        object_type="form",
        object_id=row.pk,
        object_name=row.flow_name,
        flow=row.flow_id,
        **detail,
    )
