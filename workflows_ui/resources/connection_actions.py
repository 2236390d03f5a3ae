"""What can be done with a connection: give it a new secret, let another one take its place, rename, delete."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Action, Affected, Bulk, Row, Text
from workflows_ui.models import Role
from workflows_ui.resources import connecting, connection_list, usage
from workflows_ui.resources.places import connection_url

_LONGEST = 200


def _title(row: Row) -> str:
    found = row.get("displayName")
    return show.cut(found) if isinstance(found, str) and found.strip() else _("this connection")


def _ours(row: Row) -> bool:
    """Connections of the platform are looked after in the engine: it says yes to a delete and keeps them (api.md 10.2)."""
    return row.get("scope") != "PLATFORM"


def _holds_secret(row: Row) -> bool:
    return _ours(row) and row.get("type") != "NO_AUTH"


class RenameForm(forms.Form):
    """The new name."""

    name = forms.CharField(label=gettext_lazy("New name"), max_length=_LONGEST)


class ReplaceForm(forms.Form):
    """Which connection of the same app takes over."""

    def __init__(self, *args: Any, caller: Caller, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = [
            one for one in connection_list.of_app(caller, str(row.get("pieceName"))) if one.get("id") != row.get("id")
        ]
        listed = [(str(one["id"]), _line(one)) for one in found if one.get("id")]
        self.fields["target"] = forms.ChoiceField(
            label=_("Connection that takes over"),
            choices=[("", "–"), *listed],
            help_text="" if listed else _("There is no other connection of this app. Connect the app once more first."),
        )


def _line(row: Row) -> str:
    name = row.get("displayName")
    shown = name[:100] if isinstance(name, str) and name else str(row["id"])
    return f"{shown} ({connection_list.state(row).word})"


def _flows_affected(caller: Caller, row: Row, none: Text) -> tuple[int, Affected]:
    known = usage.fresh(caller)
    found = known.of_connection(row.get("externalId"), row.get("flowIds"))
    lines = usage.lines(caller.workspace.slug, found)
    count = len(lines)
    if not known.complete:
        told = _("%(count)d flows are known to use it; the engine did not give all its flows, so there may be more.")
        return count, Affected(told % {"count": count}, lines)
    if not count:
        return 0, Affected(none)
    text = ngettext("%(count)d flow uses it:", "%(count)d flows use it:", count) % {"count": count}
    return count, Affected(text, lines)


def _would_be_replaced(caller: Caller, row: Row) -> Affected:
    return _flows_affected(caller, row, _("No flow uses it: nothing would change."))[1]


def _would_break(caller: Caller, row: Row) -> Affected:
    return _flows_affected(caller, row, _("No flow uses it."))[1]


def _rename(caller: Caller, id: str, typed: dict[str, Any]) -> Any:
    return caller.workflows.rename_connection(id, typed["name"])


def _renew(caller: Caller, id: str, typed: dict[str, Any]) -> Any:
    return connecting.renew(caller, connection_list.find(caller, id), typed)


def _replace(caller: Caller, id: str, typed: dict[str, Any]) -> dict[str, str]:
    caller.workflows.replace_connection(id, typed["target"])
    usage.forget(caller)
    return {"id": typed["target"]}


def _delete(caller: Caller, id: str, _typed: dict[str, Any]) -> None:
    caller.workflows.delete_connection(id)
    usage.forget(caller)


RENEW = Action(
    name="replace-secret",
    label=gettext_lazy("Replace the secret"),
    icon="key",
    form=connecting.SecretForm,
    run=_renew,
    confirm=lambda row: _(
        "The old secret is gone from the engine at once. The name stays, and flows that use the connection go on with the new secret. "
        "The engine tests it at the app first, which may take some seconds."
    ),
    affected=_would_break,
    button=lambda row: _("Replace the secret of “%(name)s”") % {"name": _title(row)},
    offered=_holds_secret,
    done=gettext_lazy("The new secret is in use."),
    in_rows=True,
)
REPLACE = Action(
    name="replace",
    label=gettext_lazy("Use another one instead"),
    icon="right-left",
    form=ReplaceForm,
    run=_replace,
    confirm=lambda row: (
        _(
            "Every flow that uses “%(name)s” uses the connection you choose from then on, live flows too. “%(name)s” itself is "
            "then unused; some engines delete it at once, so have its secret at hand if it may be needed again."
        )
        % {"name": _title(row)}
    ),
    affected=_would_be_replaced,
    button=lambda row: _("Replace it in all flows"),
    done=gettext_lazy("The flows use this connection now."),
    # Never to the page of the old one, which may be gone.
    then=lambda slug, _row, answer: connection_url(slug, answer["id"]),
)
RENAME = Action(
    name="rename",
    label=gettext_lazy("Rename"),
    icon="pen",
    form=RenameForm,
    run=_rename,
    initial=lambda row: {"name": row.get("displayName") if isinstance(row.get("displayName"), str) else ""},
    offered=_ours,
    done=gettext_lazy("The connection has its new name."),
    in_rows=True,
)
DELETE = Action(
    name="delete",
    label=gettext_lazy("Delete"),
    icon="trash",
    run=_delete,
    danger=True,
    confirm=lambda row: (
        _(
            "The engine forgets “%(name)s” and its secret. Flows that use it fail from then on. At the app, the secret stays valid until "
            "it is withdrawn there."
        )
        % {"name": _title(row)}
    ),
    affected=_would_break,
    button=lambda row: _("Delete the connection “%(name)s”") % {"name": _title(row)},
    offered=_ours,
    done=gettext_lazy("The connection is deleted."),
    in_rows=True,
    bulk=Bulk(
        gettext_lazy(
            "The engine forgets the connections and their secrets. Flows that use them fail from then on. At the apps, the secrets stay "
            "valid until they are withdrawn there."
        )
    ),
    role=Role.BUILDER,
)
ALL = (RENEW, REPLACE, RENAME, DELETE)
