"""Who may call the practice engine: users, organizations, projects, and the practice credentials that open them.

None of these credentials opens anything but this stand-in. They are generated for each instance unless given.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from . import ids
from .http import Json
from .state import State

PLATFORM = ids.named("platform")
SAO_MAI, HOA_SEN = "org_sao_mai_practice", "org_hoa_sen_practice"
SAO_MAI_PROJECT, HOA_SEN_PROJECT = ids.named("project sao mai"), ids.named("project hoa sen")
ANH, BAO, HA = ids.named("user anh"), ids.named("user bao"), ids.named("user ha")
EMAIL = "minh.anh@sao-mai.example"


@dataclass(frozen=True)
class Principal:
    """Who a credential stands for. ``organization`` is known on the gateway only."""

    user: str
    project: str
    organization: str = ""
    by_api_key: bool = False


def token(prefix: str) -> str:
    """A fresh opaque secret."""
    return f"{prefix}practice_{secrets.token_urlsafe(24).replace('-', 'x').replace('_', 'y')}"


def jwt(claims: Json) -> str:
    """A text shaped like a JWT. Its signature is random: the practice engine knows its tokens by heart."""

    def part(value: Json) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{secrets.token_urlsafe(32)}"


def _bearer(user: str, project: str) -> str:
    return jwt({"id": user, "type": "USER", "projectId": project, "platform": {"id": PLATFORM}, "practice": True})


@dataclass
class Credentials:
    """The practice credentials.

    ``bearer_token*`` are for the Activepieces flavour, the others for the gateway. The plain ones belong to the owner
    (Nguyễn Minh Anh) in the organization Sao Mai; ``colleague`` is another user of the same project; ``stranger``
    belongs to the other organization, Hoa Sen. ``jwt`` is good for both organizations with ``x-organization-id``.
    """

    bearer_token: str = field(default_factory=lambda: _bearer(ANH, SAO_MAI_PROJECT))
    bearer_token_colleague: str = field(default_factory=lambda: _bearer(BAO, SAO_MAI_PROJECT))
    bearer_token_stranger: str = field(default_factory=lambda: _bearer(HA, HOA_SEN_PROJECT))
    api_key: str = field(default_factory=lambda: token("api_"))
    api_key_colleague: str = field(default_factory=lambda: token("api_"))
    api_key_stranger: str = field(default_factory=lambda: token("api_"))
    api_key_scoped: str = field(default_factory=lambda: token("api_"))
    api_key_expired: str = field(default_factory=lambda: token("api_"))
    access_token: str = field(default_factory=lambda: token("acc_"))
    access_token_colleague: str = field(default_factory=lambda: token("acc_"))
    access_token_stranger: str = field(default_factory=lambda: token("acc_"))
    jwt: str = field(
        default_factory=lambda: jwt({"user_id": ANH, "organizations": [SAO_MAI, HOA_SEN], "practice": True})
    )
    password: str = field(default_factory=lambda: token(""))
    control_token: str = field(default_factory=lambda: token("ctl_"))
    email: str = EMAIL
    organization_id: str = SAO_MAI
    other_organization_id: str = HOA_SEN
    project_id: str = SAO_MAI_PROJECT
    other_project_id: str = HOA_SEN_PROJECT

    def rows(self) -> dict[str, Json]:
        """What each secret opens, as the state keeps it."""
        anh, bao, ha = (ANH, SAO_MAI), (BAO, SAO_MAI), (HA, HOA_SEN)
        return {
            self.bearer_token: row("bearer", *anh),
            self.bearer_token_colleague: row("bearer", *bao),
            self.bearer_token_stranger: row("bearer", *ha),
            self.api_key: row("api_key", *anh),
            self.api_key_colleague: row("api_key", *bao),
            self.api_key_stranger: row("api_key", *ha),
            self.api_key_scoped: row("api_key", *anh, scoped=True),
            self.api_key_expired: row("api_key", *anh, expired=True),
            self.access_token: row("access", *anh),
            self.access_token_colleague: row("access", *bao),
            self.access_token_stranger: row("access", *ha),
            self.jwt: row("jwt", *anh, organizations=[SAO_MAI, HOA_SEN]),
        }

    def keep(self, state: State) -> None:
        """Make the credentials known to the engine, and remembered with its state."""
        state.credentials.update(self.rows())
        state.given["credentials"] = asdict(self)

    @classmethod
    def restored(cls, state: State, given: Json) -> Credentials:
        """The credentials of a loaded state; those in ``given`` replace the remembered ones.

        Keys and tokens that were made over HTTP stay as they are.
        """
        known = {one.name for one in fields(cls)}
        remembered: Json = state.given.get("credentials", {})
        for secret in remembered.values():
            state.credentials.pop(secret, None)
        return cls(**{name: value for name, value in {**remembered, **given}.items() if name in known})


def row(kind: str, user: str, organization: str, **more: Any) -> Json:
    """What one secret opens."""
    return {"kind": kind, "user": user, "organization": organization, "scoped": False, "expired": False, **more}


def project_of(organization: str) -> str:
    """The one project of an organization (api.md 2.3)."""
    return HOA_SEN_PROJECT if organization == HOA_SEN else SAO_MAI_PROJECT


def principal(entry: Json, organization: str = "") -> Principal:
    """Who ``entry`` (a row of the state's credentials) stands for, in ``organization`` or its own."""
    organization = organization or entry["organization"]
    return Principal(entry["user"], project_of(organization), organization, entry["kind"] == "api_key")


def people(state: State) -> None:
    """Fill in the sample users, organizations and projects."""
    created = "2025-02-03T01:30:00.000Z"
    for user, email, first, last, role in (
        (ANH, EMAIL, "Minh Anh", "Nguyễn", "ADMIN"),
        (BAO, "quoc.bao@sao-mai.example", "Quốc Bảo", "Trần", "MEMBER"),
        (HA, "thu.ha@hoa-sen.example", "Thu Hà", "Lê", "MEMBER"),
    ):
        state.users[user] = {
            "id": user,
            "created": created,
            "updated": created,
            "email": email,
            "firstName": first,
            "lastName": last,
            "status": "ACTIVE",
            "platformRole": role,
            "externalId": None,
            "platformId": PLATFORM,
        }
    for organization, name, owner, color in (
        (SAO_MAI, "Công ty Thương mại Sao Mai", ANH, "PURPLE"),
        (HOA_SEN, "Hoa Sen Logistics", HA, "GREEN"),
    ):
        state.organizations[organization] = {"id": organization, "name": name}
        project = project_of(organization)
        state.projects[project] = {
            "id": project,
            "created": created,
            "updated": created,
            "deleted": None,
            "ownerId": owner,
            "displayName": name,
            "platformId": PLATFORM,
            "externalId": organization,
            "maxConcurrentJobs": None,
            "icon": {"color": color},
            "releasesEnabled": False,
            "metadata": None,
        }
    state.organizations[SAO_MAI]["members"] = [ANH, BAO]
    state.organizations[HOA_SEN]["members"] = [ANH, HA]
