"""Every key to a person is declared as owned, or says here why a person who leaves has nothing to hand over in it."""

from django.apps import apps
from django.db.models import Field, Model

from workflows_ui.accounts.models import User
from workflows_ui.members.models import Workspace
from workflows_ui.offboarding.owned import OWNED

_ACCOUNT = "A part of the account, of no use to anybody else."
_PERSONAL = "Of no use to colleagues; it stays with the account."
_RECORD = "The record names who did it, permanently."
_REQUEST = "A request, which is refused with the account, or which its receivers decide about."
_SETTLED = "The console settles it without the person."

#: Keys to a person, by model and field, and why they are not owned.
NOT_OWNED = {
    "AccessRequest.decided_by": _RECORD,
    "AccessRequest.user": _REQUEST,
    "AlarmChannel.created_by": "A channel is the workspace's: every manager changes it.",
    "AlarmMute.muted_by": _RECORD,
    "AuditEvent.user": _RECORD,
    "Authenticator.user": _ACCOUNT,
    "ColleagueInvitation.accepted_by": _RECORD,
    "ColleagueInvitation.revoked_by": _RECORD,
    "Credential.last_used_by": _RECORD,
    "CredentialSecret.replaced_by": _RECORD,
    "CredentialShare.shared_by": _RECORD,
    "DefaultWatch.user": "It only notes that a subscription was given: that is handed over.",
    "DeletedObject.deleted_by": _RECORD,
    "DeletedObject.restored_by": _RECORD,
    "EmailAddress.user": _ACCOUNT,
    "FailurePattern.handled_by": _RECORD,
    "FailurePattern.noted_by": _RECORD,
    "FailureRule.owner": "It stops when the owner may not act any more; managers are notified and remove it.",
    "Favourite.user": _PERSONAL,
    "FlowEdit.edited_by": _RECORD,
    "Identity.user": _ACCOUNT,
    "InvitationRequest.decided_by": _RECORD,
    "InvitationRequest.user": _REQUEST,
    "KnownBrowser.user": _ACCOUNT,
    "LaunchFormVersion.published_by": _RECORD,
    "LaunchRight.revoked_by": _RECORD,
    "ListChoice.user": _PERSONAL,
    "LogEntry.user": "Django's administration only reads: it writes no entries.",
    "Mute.muted_by": _RECORD,
    "Mute.user": _PERSONAL,
    "Note.author": "A note is for everyone who may open its object, and keeps the name of its author.",
    "NoteVote.user": _RECORD,
    "RunIndex.started_by": "An index is the workspace's: every manager changes it.",
    "RunRetry.user": _SETTLED,
    "SavedView.owner": "Personal. One that is shared with a team stays with the team, and managers change it.",
    "UnclearWrite.user": _SETTLED,
    "User_user_permissions.user": "The console does not use Django's permissions.",
    "Visit.user": _PERSONAL,
}


def _keys_to_people() -> dict[str, tuple[type[Model], str]]:
    """By model and field: the keys of all models, also of installed packages and of relations between many."""
    return {
        f"{model.__name__}.{field.name}": (model, field.name)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.related_model is User and not field.many_to_many
    }


def test_every_key_to_a_person_is_declared_as_owned_or_has_a_reason_why_not() -> None:
    declared = {(kind.model, kind.owner) for kind in OWNED}
    undeclared = {name for name, key in _keys_to_people().items() if key not in declared}
    assert undeclared == NOT_OWNED.keys(), (
        "Declare it in workflows_ui/offboarding/owned/, or add the reason: docs/guides.md"
    )


def test_what_is_declared_as_owned_belongs_to_a_person_and_lies_where_it_says() -> None:
    keys = _keys_to_people().values()
    for kind in OWNED:
        assert not kind.owner or (kind.model, kind.owner) in keys, kind.name
        if kind.workspace:
            found: type[Model] | None = kind.model
            for step in kind.workspace.split("__"):
                assert found is not None
                found = found._meta.get_field(step).related_model
            assert found is Workspace, kind.name
        assert bool(kind.end) == bool(kind.end_label), kind.name
    assert len({kind.name for kind in OWNED}) == len(OWNED)
