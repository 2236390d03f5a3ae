"""Every address and action of the console as a row of docs/permissions.md. tests.web.write_permissions writes that page."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from tests import caches, users as test_users
from tests.resources import samples
from tests.web.filled_workspace import EVERYBODY, OUTSIDERS, Furnished, Place
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.models import Credential
from workflows_ui.jobs.models import Job
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Flavour, Member, Role
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.resources import RESOURCES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
#: With this variable set, what is answered is written into the page instead of compared with it.
WRITE = "WRITE_PERMISSIONS"
OWN, OTHERS = "one's own", "somebody else's"

_BELONGS = {
    **dict.fromkeys(
        (
            "launch",
            "launch_again",
            "launch_cancel",
            "launch_file",
            "launch_hidden",
            "launch_retry",
            "launch_settle",
            "launch_story",
            "launch_watch",
            "launch_withdraw",
        ),
        ("id", "launch"),
    ),
    **dict.fromkeys(("job", "job_begin", "job_retry", "job_stop", "job_undo"), ("id", "job")),
    **dict.fromkeys(("export", "export_file", "export_stop"), ("job_id", "export")),
    **dict.fromkeys(
        (
            "credential",
            "credential_check",
            "credential_delete",
            "credential_put_back",
            "credential_rename",
            "credential_replace",
            "credential_share",
            "credential_test",
        ),
        ("credential_id", "credential_id"),
    ),
    "credential_consent": ("credential_id", "credential_id"),
    "saved_inputs": ("inputs", "inputs"),
    "note": ("note", "note"),
    "saved_view": ("view_id", "view_id"),
    "own_saved_view": ("view_id", "own_view"),
    "notice": ("pk", "notice"),
    "notice_following": ("pk", "notice"),
    "own_unmute": ("pk", "own_mute"),
    "unfollow": ("pk", "watch"),
    "mfa_edit_webauthn": ("pk", "passkey"),
    "mfa_remove_webauthn": ("pk", "passkey"),
    "session_end": ("session_id", "session_id"),
    "access_withdraw": ("request_id", "access_withdraw"),
}
"""Addresses of what belongs to one person: the value in the address, and the thing."""

_GENERIC = {"resource_list", "resource_detail", "resource_action", "resource_collection_action", "bulk_choose"}
_SPECIAL: Mapping[str, Mapping[str, Any]] = {
    "piece_options": {"piece": "@activepieces/piece-twilio"},
    "credential_organization": {"name": "nothing"},
    "credential_project": {"name": "nothing"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "abc"},
    "account_confirm_email": {"key": "abc"},
}
_HTMX = {"HX-Request": "true", "HX-Target": "live"}


@dataclass(frozen=True)
class Address:
    """One row: a name of the addresses, whose things it is tried with, and the declaration that it comes from."""

    name: str
    whose: str = ""
    resource: str = ""
    action: str = ""
    least: Role | None = None

    @property
    def label(self) -> str:
        """How the page names it."""
        words = [self.name, self.resource, self.action, f"({self.whose})" if self.whose else ""]
        return " ".join(word for word in words if word)

    def url(self, place: Place, who: str) -> str:
        """The address for one of the matrix's columns."""
        values = dict(place.values)
        if self.resource:
            values |= {"resource": self.resource, "action": self.action, "id": samples.sample_for(self.declared).key}
        if self.whose:
            key, thing = _BELONGS[self.name]
            values[key] = place.own[who if self.whose == OWN and who in place.own else ""][thing]
        values |= _SPECIAL.get(self.name, {})
        pattern = named()[self.name]
        wanted = pattern.pattern.converters or getattr(pattern.pattern, "regex").groupindex  # noqa: B009
        return reverse(self.name, kwargs={key: values[key] for key in wanted})

    @property
    def flavour(self) -> str:
        """The engine that has such things: both are the same stub engine."""
        return samples.sample_for(self.declared).flavour if self.resource else Flavour.ACTIVEPIECES

    @property
    def declared(self) -> Resource:
        """The declaration of its resource."""
        return next(one for one in RESOURCES if one.name == self.resource)

    @property
    def shown(self) -> str:
        """Its path with what is filled in."""
        path = str(named()[self.name].pattern)
        for value in ("resource", "action"):
            if getattr(self, value):
                path = path.replace(f"<slug:{value}>", getattr(self, value))
        return "/" + path


def named() -> dict[str, URLPattern]:
    """Every address that has a name, allauth's included. The administration's are separate (tests/audit/test_administration.py)."""
    found = {str(one.name): one for one in _patterns(get_resolver())}
    found.pop("None", None)
    return found


def _patterns(resolver: Any) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        elif pattern.namespace != "admin":
            yield from _patterns(pattern)


def addresses() -> list[Address]:
    """All rows, in the order of the page."""
    rows = []
    for name in sorted(named()):
        if name in _BELONGS:
            rows += [Address(name, OWN), Address(name, OTHERS)]
        elif name not in _GENERIC:
            rows.append(Address(name))
    for resource in sorted(RESOURCES, key=lambda found: found.name):
        rows.append(Address("resource_list", resource=resource.name, least=resource.role))
        rows.append(Address("resource_detail", resource=resource.name, least=resource.role))
        for action in resource.actions:
            least = max(action.role, resource.role, key=lambda role: role.rank)
            name = "resource_collection_action" if action.collection else "resource_action"
            rows.append(Address(name, resource=resource.name, action=action.name, least=least))
            if action.bulk is not None:
                rows.append(Address("bulk_choose", resource=resource.name, action=action.name, least=least))
    return rows


def measure(
    stage: Furnished, address: Address, people: Sequence[str] = EVERYBODY, *, fragments: bool = True
) -> dict[str, str]:
    """What each person is answered: the methods that let them in, else why not (`sign in`, 403, 404). Nothing that is done stays.

    The first person with an answer asks for the fragment too (not without `fragments`). Fails where it is answered otherwise than the
    whole page, or where anything breaks.
    """
    caches.forget_answers()
    base = stage.stub_engine.url if address.flavour == Flavour.IMBRACE else f"{stage.stub_engine.url}/api"
    test_users.move(stage.sales.workspace, flavour=address.flavour, address=base)
    compared: set[tuple[str, str]] | None = set() if fragments else None
    return {who: _cell(stage, address, who, compared) for who in people}


def _cell(stage: Furnished, address: Address, who: str, compared: set[tuple[str, str]] | None) -> str:
    """What the page says about a person. `compared`: the methods and answers for which fragments were asked for; None asks for none."""
    url = address.url(stage.sales, who)
    found: dict[str, str] = {}
    for method in ("GET", "POST"):
        found[method] = _ask(stage, who, method, url, {})
        if compared is not None and (method, found[method]) not in compared:
            compared.add((method, found[method]))
            _compare(stage, who, method, url, found[method])
    let_in = [method for method, answer in found.items() if answer == "in"]
    refused = sorted({answer for answer in found.values() if answer not in {"in", "405"}})
    return " ".join(let_in) or " ".join(refused) or "405"


def _compare(stage: Furnished, who: str, method: str, url: str, whole: str) -> None:
    part = _ask(stage, who, method, url, _HTMX)
    if part != whole:
        # What the engine said to the first may be remembered, and then the second did not ask it.
        caches.forget_answers()
        part = _ask(stage, who, method, url, _HTMX)
    assert whole == part, f"{who}: {method} {url}: {whole} as a page, {part} as a fragment"


def answered(stage: Furnished, who: str, method: str, url: str) -> HttpResponseBase:
    """What somebody is answered. Nothing that is done stays."""
    with transaction.atomic():
        answer = _send(stage.browsers[who], method, url, {})
        transaction.set_rollback(True)
    return answer


def _ask(stage: Furnished, who: str, method: str, url: str, headers: dict[str, str]) -> str:
    stage.stub_engine.seen.clear()
    written: list[str] = []
    with transaction.atomic():
        with connection.execute_wrapper(functools.partial(_notice, written)):
            answer = _send(stage.browsers[who], method, url, headers)
        kind = _kind(answer, asked=bool(stage.stub_engine.seen))
        assert kind == "in" or not written, f"{who}: {method} {url} writes: {written}"
        transaction.set_rollback(True)
    assert answer.status_code != 500, f"{who}: {method} {url} breaks"
    assert kind == "in" or not stage.stub_engine.seen, f"{who}: {method} {url} asks the engine"
    if kind in {"404", "sign in"} and who in OUTSIDERS:
        assert stage.sales.workspace.name not in getattr(answer, "content", b"").decode(), (
            f"{who}: {url} tells the name"
        )
    return kind


#: What nobody who is refused may change a row of.
_KEPT = tuple(f'"{kind._meta.db_table}"' for kind in (AuditEvent, Launch, Job, Member, Credential))


def _notice(written: list[str], execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """Notes what writes to a table of these."""
    if not sql.startswith("SELECT") and any(table in sql for table in _KEPT):
        written.append(sql)
    return execute(sql, params, many, context)


def _send(browser: Client, method: str, url: str, headers: dict[str, str]) -> HttpResponseBase:
    cookies = {name: one.value for name, one in browser.cookies.items()}
    answer = browser.get(url, headers=headers) if method == "GET" else browser.post(url, headers=headers)
    assert isinstance(answer, HttpResponseBase)
    for _part in getattr(answer, "streaming_content", ()):
        pass
    # Signing out, or another language: not in this browser.
    browser.cookies.clear()
    for name, value in cookies.items():
        browser.cookies[name] = value
    return answer


def _kind(answer: HttpResponseBase, *, asked: bool) -> str:
    leads = answer.headers.get("Location", "")
    templates = {str(one.name) for one in getattr(answer, "templates", [])}
    if leads.startswith("/accounts/login/?next=") or templates & {
        "web/errors/signed_out.html",
        "web/errors/signed_out_alert.html",
    }:
        return "sign in"
    if answer.status_code == 405:
        return "405"
    if answer.status_code in {403, 404} and not asked:
        return str(answer.status_code)
    return "in"


def line(address: Address, cells: Mapping[str, str]) -> str:
    """A row of the page."""
    return f"| `{address.shown}` | {address.label} | " + " | ".join(cells[who] for who in EVERYBODY) + " |"


def write(address: Address, cells: Mapping[str, str]) -> None:
    """Puts a row into the page, in place of the one that was there."""
    there = PAGE.read_text("utf-8").splitlines() if PAGE.exists() else []
    lines = {row.split(" | ")[1]: row for row in there if row.startswith("| `")} | {address.label: line(address, cells)}
    rows = [lines[one.label] for one in addresses() if one.label in lines]
    PAGE.write_text(HEAD + "\n".join(rows) + "\n", "utf-8")


HEAD = f"""# Who may do what

Written by requesting every address as every role (`python -m tests.web.write_permissions`); do not edit. `tests/web/test_matrix.py`
requests each again, as a page and as a fragment, and fails if an answer differs.

A cell names the methods that admit a person: GET reads, POST writes; a method that is not named is refused or does not exist. Otherwise it
says how the person is refused: `sign in` leads to the sign-in page; 404 means "no such page", so that people without access learn nothing;
403 names the required role; 405 is an address that has neither method. POST is tried with an empty form, and counts as admitted if the form
is validated, even if it is invalid.

The people: signed out; a deactivated former manager; a stranger; the manager of another workspace; a superuser who is not a member; a guest
with a launch right for the flow in the address; and the four roles. All except the first and the other workspace's manager have objects of
their own in the workspace (a credential, a launch, a job, ...) from an earlier time: lines with ({OWN}) are tried with those, lines with
({OTHERS}) with those of another manager.

| address | name | {" | ".join(EVERYBODY)} |
|---|---|{"---|" * len(EVERYBODY)}
"""
