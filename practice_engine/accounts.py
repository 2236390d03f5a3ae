"""Users, organizations, projects, and the practice credentials that open them.

None of these credentials opens anything but this stand-in. They are generated for each instance unless given.
"""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from . import ids
from .http import HttpError, Json, Principal, Request
from .state import State

PLATFORM = ids.named_id("platform")
SAO_MAI, HOA_SEN = "org_sao_mai_practice", "org_hoa_sen_practice"
SAO_MAI_PROJECT, HOA_SEN_PROJECT = ids.named_id("project sao mai"), ids.named_id("project hoa sen")
ANH, BAO, HA = ids.named_id("user anh"), ids.named_id("user bao"), ids.named_id("user ha")
EMAIL = "minh.anh@sao-mai.example"

#: The fields of a user in every response.
USER_FIELDS = (
    *("id", "created", "updated", "email", "firstName", "lastName", "status", "platformRole", "externalId"),
    "platformId",
)


def new_token(prefix: str) -> str:
    return f"{prefix}practice_{secrets.token_urlsafe(24).replace('-', 'x').replace('_', 'y')}"


def jwt(claims: Json) -> str:
    """A text shaped like a JWT. Its signature is random: the practice engine looks its tokens up."""

    def part(value: Json) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{secrets.token_urlsafe(32)}"


def credential_row(kind: str, user: str, organization: str, **more: Any) -> Json:
    return {"kind": kind, "user": user, "organization": organization, "scoped": False, "expired": False, **more}


def _credential(kind: str, user: str, organization: str, **more: Any) -> Any:
    """A field with a new secret of this kind, whose metadata is the row that the engine looks it up in."""

    def new() -> str:
        if kind == "bearer":
            claims = {"id": user, "type": "USER", "projectId": organization_project(organization)}
            return jwt({**claims, "platform": {"id": PLATFORM}, "practice": True})
        if kind == "jwt":
            return jwt({"user_id": user, **more, "practice": True})
        return new_token({"api_key": "api_", "access": "acc_"}[kind])

    return field(default_factory=new, metadata=credential_row(kind, user, organization, **more))


@dataclass
class Credentials:
    """The practice credentials.

    ``bearer_token*`` are for the Activepieces flavour, the others for the gateway. The plain ones belong to the owner
    (Nguyễn Minh Anh) in the organization Sao Mai; ``colleague`` is another user of the same project; ``stranger``
    belongs to the other organization, Hoa Sen. ``jwt`` is good for both organizations with ``x-organization-id``.
    """

    bearer_token: str = _credential("bearer", ANH, SAO_MAI)
    bearer_token_colleague: str = _credential("bearer", BAO, SAO_MAI)
    bearer_token_stranger: str = _credential("bearer", HA, HOA_SEN)
    api_key: str = _credential("api_key", ANH, SAO_MAI)
    api_key_colleague: str = _credential("api_key", BAO, SAO_MAI)
    api_key_stranger: str = _credential("api_key", HA, HOA_SEN)
    api_key_scoped: str = _credential("api_key", ANH, SAO_MAI, scoped=True)
    api_key_expired: str = _credential("api_key", ANH, SAO_MAI, expired=True)
    access_token: str = _credential("access", ANH, SAO_MAI)
    access_token_stranger: str = _credential("access", HA, HOA_SEN)
    jwt: str = _credential("jwt", ANH, SAO_MAI, organizations=[SAO_MAI, HOA_SEN])
    password: str = field(default_factory=lambda: new_token(""))
    control_token: str = field(default_factory=lambda: new_token("ctl_"))
    email: str = EMAIL
    organization_id: str = SAO_MAI
    other_organization_id: str = HOA_SEN
    project_id: str = SAO_MAI_PROJECT
    other_project_id: str = HOA_SEN_PROJECT

    def save(self, state: State) -> None:
        """Register the credentials with the engine and keep them with its state."""
        rows = {getattr(self, one.name): dict(one.metadata) for one in fields(self) if one.metadata}
        state.credentials.update(rows)
        state.given["credentials"] = asdict(self)

    @classmethod
    def restored(cls, state: State, given: Json) -> Self:
        """The credentials of a loaded state; those in ``given`` replace the saved ones.

        Keys and tokens that were made over HTTP stay as they are.
        """
        known = {one.name for one in fields(cls)}
        saved: Json = state.given.get("credentials", {})
        for secret in saved.values():
            state.credentials.pop(secret, None)
        return cls(**{name: value for name, value in {**saved, **given}.items() if name in known})


def organization_project(organization: str) -> str:
    """The id of the one project of an organization (api.md 2.3)."""
    return HOA_SEN_PROJECT if organization == HOA_SEN else SAO_MAI_PROJECT


def principal_for(credential: Json, organization: str = "") -> Principal:
    """The caller that a row of the state's credentials stands for, in ``organization`` or the row's own."""
    organization = organization or credential["organization"]
    project = credential.get("project") or organization_project(organization)
    return Principal(credential["user"], project, organization)


def basic_user(user: Json) -> Json:
    """A user without the fields that only the practice engine has."""
    return {name: user[name] for name in USER_FIELDS}


def full_user(user: Json) -> Json:
    """A user as 0.83.0 shows them to others."""
    return {**basic_user(user), "lastActiveDate": None, "imageUrl": user.get("imageUrl")}


def is_admin(state: State, user: str) -> bool:
    return bool(state.users[user]["platformRole"] == "ADMIN")


def require_admin(request: Request, state: State) -> None:
    """Raise a 403 unless the caller is an administrator of the platform (recording ``member_users_list``)."""
    if not is_admin(state, request.principal.user):
        raise HttpError.domain("AUTHORIZATION", message="only for administrators of the platform")


def project_ids(state: State, user: str) -> list[str]:
    """The projects that a user of 0.83.0 may enter, the personal ones first.

    An administrator may enter all (recordings ``second_user_*``), others their own (``member_*``). Colleagues of the sample
    companies share a project, as members of a paid edition would.
    """
    rows = [
        row
        for row in state.projects.values()
        if is_admin(state, user)
        or row["ownerId"] == user
        or user in state.organizations.get(row["externalId"] or "", {}).get("members", [])
    ]
    return [row["id"] for row in sorted(rows, key=lambda row: (row.get("type", "PERSONAL"), row["displayName"]))]


def new_project(state: State, owner: str, name: str, kind: str) -> Json:
    """Add a project that belongs to no organization, of the type PERSONAL or TEAM."""
    unset = dict.fromkeys(("deleted", "externalId", "maxConcurrentJobs", "metadata"))
    shown: Json = {"platformId": PLATFORM, "icon": {"color": "CYAN"}, "releasesEnabled": False, "type": kind}
    return state.add_row("projects", ownerId=owner, displayName=name, **shown, **unset)
