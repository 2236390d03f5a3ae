"""Services of launch forms: draft, publication, versions, restore, files. All within one workspace."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock, database
from workflows_ui.core.prepared import Prepared
from workflows_ui.form_schema import rules, schema_in, schema_out
from workflows_ui.form_schema.document import Form
from workflows_ui.launch_forms.models import LaunchForm, LaunchFormVersion, SavedInputs
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access

_RELATED = ("workspace", "published", "published__published_by", "updated_by")


class Stale(Exception):
    """The form was changed meanwhile by somebody else or in another tab; nothing was written. `form` is the current row or None."""

    def __init__(self, form: LaunchForm | None) -> None:
        super().__init__(form)
        self.form = form


class NothingToPublish(Exception):
    """There is no draft."""


class NothingToUndo(Exception):
    """The draft was not changed since it was created or published."""


def find_form(workspace: Workspace, flow_id: str) -> LaunchForm | None:
    """The flow's form in this workspace, with `published` and `updated_by`, or None."""
    return _form_of.first(workspace.pk, flow_id)


_form_of = Prepared(
    lambda workspace, flow: LaunchForm.objects.filter(workspace=workspace, flow_id=flow).select_related(*_RELATED),
    int,
    str,
)


def all_published(workspace: Workspace) -> QuerySet[LaunchForm]:
    """The workspace's forms that launchers can use, by the flow's name."""
    rows = LaunchForm.objects.filter(workspace=workspace, published__isnull=False)
    return rows.select_related("published").order_by("flow_name", "pk")


def open_draft(row: LaunchForm) -> Form | None:
    """The draft, or None. Raises crypto.CannotOpen."""
    text = row.open("draft")
    return schema_in.read_trusted(json.loads(text)) if text else None


def published_texts(version: LaunchFormVersion) -> tuple[str, str]:
    """Note (Markdown) and button of a published form, "" for missing ones, without reading its fields. Raises crypto.CannotOpen."""
    annotation = json.loads(version.open("schema")).get(schema_out.ANNOTATION, {})
    return annotation.get("note", ""), annotation.get("button", "")


def published(workspace: Workspace, flow_id: str) -> tuple[LaunchFormVersion, Form] | None:
    """The published version and its form; None if nothing is published. Raises crypto.CannotOpen."""
    row = find_form(workspace, flow_id)
    if row is None or row.published is None:
        return None
    return row.published, row.published.open_form()


def save(
    actor: audit_log.Actor, access: Access, flow_id: str, flow_name: str, form: Form, *, lock: int | None
) -> LaunchForm:
    """Save the draft. `lock` is the lock number that the page was made from, None if there was no row.

    Raises NotAllowed for less than a builder, Stale if the row has changed, form_schema.document.BadForm for a form that breaks
    its rules (two fields of one name, a show-if about a missing field, ...).
    """
    access.require(Role.BUILDER)
    rules.check(form)
    text = json.dumps(schema_out.to_schema(form), ensure_ascii=True, separators=(",", ":"))
    name, fields = database.storable(flow_name), len(form.fields)
    if lock is not None:
        return _change(actor, access, flow_id, lock, "form.save", text, {"flow_name": name}, fields=fields)
    row = LaunchForm(workspace=access.workspace, flow_id=flow_id, flow_name=name, lock=1)
    row.draft, row.updated_by, row.updated_at = row.seal("draft", text), access.user, clock.now()
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            audit_log.record(actor, "form.save", row, flow=row.flow_id, fields=fields)
    except IntegrityError:
        raise Stale(find_form(access.workspace, flow_id)) from None
    return row


def drop_draft(actor: audit_log.Actor, access: Access, flow_id: str, *, lock: int) -> LaunchForm:
    """Discard the draft; the published version stays. Raises as `save`."""
    return _change(actor, access, flow_id, lock, "form.drop_draft", "", {})


def hand_over(actor: audit_log.Actor, row: LaunchForm, to: User) -> bool:
    """Name another builder as the one who saved the form last; return whether nobody saved it meanwhile."""
    return _change_left(actor, row, "form.hand_over", {"updated_by": to}, to=to.label)


def discard_left_draft(actor: audit_log.Actor, row: LaunchForm) -> bool:
    """Discard the draft of a person who leaves; the published form stays. Return whether nobody saved it meanwhile."""
    return _change_left(actor, row, "form.drop_draft", {"draft": "", "before": "", "updated_by": actor.user})


def undo(actor: audit_log.Actor, access: Access, flow_id: str, *, lock: int) -> LaunchForm:
    """Undo the last change of the draft; a second call undoes the undo. Raises as `save`, and NothingToUndo."""
    row = _current(access, flow_id, lock)
    text = row.open("before")
    if not text:
        raise NothingToUndo(flow_id)
    if row.published is not None and text == row.published.open("schema"):
        text = ""  # equal to the published version: then there is no draft
    return _change(actor, access, flow_id, lock, "form.undo", text, {})


def publish(actor: audit_log.Actor, access: Access, flow_id: str, *, lock: int, words: str = "") -> LaunchFormVersion:
    """Publish the draft as the next version, which launchers see from now on; the draft is then empty.

    Raises as `save`, and NothingToPublish.
    """
    access.require(Role.BUILDER)
    with transaction.atomic():
        row = LaunchForm.objects.select_for_update().filter(workspace=access.workspace, flow_id=flow_id).first()
        if row is None or row.lock != lock:
            raise Stale(find_form(access.workspace, flow_id))
        text = row.open("draft")
        if not text:
            raise NothingToPublish(flow_id)
        now = clock.now()
        last = row.versions.order_by("-number").values_list("number", flat=True).first() or 0
        version = LaunchFormVersion(
            form=row, number=last + 1, published_by=access.user, published_at=now, words=database.storable(words)
        )
        version.schema = version.seal("schema", text)
        version.save(force_insert=True)
        row.published, row.draft, row.before, row.lock = version, "", "", row.lock + 1
        row.updated_by, row.updated_at = access.user, now
        row.save()
        audit_log.record(actor, "form.publish", row, flow=row.flow_id, version=version.number, words=version.words)
    return version


def unpublish(actor: audit_log.Actor, access: Access, flow_id: str, *, lock: int) -> LaunchForm:
    """Unpublish the form. Its versions stay, and the published one becomes the draft of a form without one. Raises as `save`."""
    draft = _draft_or_published(_current(access, flow_id, lock))
    return _change(actor, access, flow_id, lock, "form.unpublish", draft, {"published": None}, undoable=False)


def versions(row: LaunchForm) -> QuerySet[LaunchFormVersion]:
    """All published versions, newest first."""
    return row.versions.select_related("published_by").order_by("-number")


def restore(actor: audit_log.Actor, access: Access, flow_id: str, number: int, *, lock: int) -> LaunchForm:
    """Copy an old version to the draft, without publishing it. Raises as `save`, and LaunchFormVersion.DoesNotExist."""
    access.require(Role.BUILDER)
    old = LaunchFormVersion.objects.get(form__workspace=access.workspace, form__flow_id=flow_id, number=number)
    return _change(actor, access, flow_id, lock, "form.restore", old.open("schema"), {}, version=number)


def move_to_flow(workspace: Workspace, old: str, new: str) -> None:
    """Give the form and the saved inputs of a deleted flow to the flow that was created again from its copy."""
    with transaction.atomic():
        LaunchForm.objects.filter(workspace=workspace, flow_id=old).update(flow_id=new)
        SavedInputs.objects.filter(workspace=workspace, flow_id=old).update(flow_id=new)


def export(form: Form) -> str:
    """The form as a file: JSON Schema 2020-12, indented."""
    return json.dumps(schema_out.to_schema(form), ensure_ascii=False, indent=2) + "\n"


def _current(access: Access, flow_id: str, lock: int) -> LaunchForm:
    """The row with this lock number, for a builder. Raises NotAllowed, Stale."""
    access.require(Role.BUILDER)
    row = find_form(access.workspace, flow_id)
    if row is None or row.lock != lock:
        raise Stale(row)
    return row


def _draft_or_published(row: LaunchForm) -> str:
    return row.open("draft") or (row.published.open("schema") if row.published else "")


def _change_left(
    actor: audit_log.Actor, row: LaunchForm, action: str, values: Mapping[str, object], **detail: Any
) -> bool:
    """Update the row as it was read, with an audit row that always names its flow; return whether nobody saved it meanwhile."""
    unchanged = LaunchForm.objects.filter(pk=row.pk, lock=row.lock)
    with transaction.atomic():
        if not unchanged.update(updated_at=clock.now(), lock=F("lock") + 1, **values):
            return False
        about = row.audited_object()._replace(object_name=row.flow_name or row.flow_id)
        audit_log.record(actor, action, flow=row.flow_id, **about._asdict(), **detail)
    return True


def _change(
    actor: audit_log.Actor,
    access: Access,
    flow_id: str,
    lock: int,
    action: str,
    draft: str,
    values: Mapping[str, object],
    *,
    undoable: bool = True,
    **detail: Any,
) -> LaunchForm:
    """Update the row, conditional on its lock number, with an audit row. The previous draft, else the published form, is kept for undo."""
    row = _current(access, flow_id, lock)
    texts = {"draft": draft, "before": _draft_or_published(row) if undoable else ""}
    sealed = {name: row.seal(name, text) for name, text in texts.items()}
    changed = {"lock": F("lock") + 1, "updated_by": access.user, "updated_at": clock.now()} | sealed | {**values}
    with transaction.atomic():
        if not LaunchForm.objects.filter(pk=row.pk, lock=lock).update(**changed):
            raise Stale(find_form(access.workspace, flow_id))
        audit_log.record(actor, action, row, flow=row.flow_id, **detail)
    return LaunchForm.objects.select_related(*_RELATED).get(pk=row.pk)
