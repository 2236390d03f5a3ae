"""No address tells a secret: read and written, by managers and superusers, while the engine says all of them back or fails."""

import io
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from tests import caches, users as people
from tests.secrets import places
from tests.secrets.echoing import ERRORS, Echo, EchoingShelf
from tests.secrets.forms import Form, filled
from tests.secrets.hunt import Hunt
from tests.web import matrix
from tests.web.filled_workspace import Furnished, furnish
from tests.web.matrix import Address
from tests.web.test_every_address import OWN, SUPERUSERS, TEAMS
from workflows_ui.core import heartbeat, masking
from workflows_ui.credentials.models import Credential, CredentialSecret
from workflows_ui.engine.masking import HIDDEN
from workflows_ui.members.models import Flavour
from workflows_ui.web.administration import registered

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]
#: Signing out ends the walk's sessions; the way out is one of tests/secrets/test_people.py.
LEFT_OUT = {"account_logout"}
FOR_SUPERUSERS = SUPERUSERS | TEAMS | OWN


class Walk:
    """Everybody who is let in, at every address of the furnished workspace; its engine echoes."""

    def __init__(self, hunt: Hunt, stub_engine: EchoingShelf) -> None:
        self.hunt, self.stub_engine = hunt, stub_engine
        self.stage: Furnished = furnish(stub_engine)
        secrets = []
        rows: list[Credential | CredentialSecret] = [*Credential.objects.all(), *CredentialSecret.objects.all()]
        for number, row in enumerate(rows):
            for field in row.sealed_fields:
                value = f"walk-{field}-{number:03}-Zk7/q+W=&x"
                setattr(row, field, row.seal(field, value))
                hunt.hide(f"{type(row).__name__}.{field}", value)
                space = row.workspace if isinstance(row, Credential) else row.credential.workspace
                secrets += [value] if space == self.stage.sales.workspace else []
            row.save()
        masking.clear()
        self.stub_engine.echo = Echo(secrets)
        self.visited = 0

    def visit(self, address: Address, who: str, **headers: str) -> None:
        """Reads an address, and writes each of its forms; what is done is looked at and taken back."""
        base = self.stub_engine.url if address.flavour == Flavour.IMBRACE else f"{self.stub_engine.url}/api"
        people.move(self.stage.sales.workspace, flavour=address.flavour, address=base)
        url, browser = address.url(self.stage.sales, who), self.stage.browsers[who]
        place = f"{who} {address.label}"
        page = places.answer(self.hunt, place, browser.get(url, headers=headers)).decode(errors="replace")
        self.visited += 1
        if headers:
            return
        forms = [form for form in filled(page, url, f"typed-{self.visited}") if form.action == url]
        for form in forms or [Form(url)]:
            if form.secret:
                self.hunt.hide("typed into a form", *form.secret)
            self.write(place, who, url, form.values)

    def write(self, place: str, who: str, url: str, values: dict[str, Any]) -> None:
        """One POST; what it leaves is looked at and taken back."""
        browser = self.stage.browsers[who]
        cookies = {name: one.value for name, one in browser.cookies.items()}
        with transaction.atomic():
            answer = browser.post(url, values)
            places.answer(self.hunt, f"{place} (POST)", answer)
            if answer.status_code < 400:
                self.hunt.look(f"database after {place}", places.database())
            transaction.set_rollback(True)
        browser.cookies.clear()
        for name, value in cookies.items():
            browser.cookies[name] = value

    def fail(self, address: Address, status: int) -> None:
        """Reads an address while the engine answers everything with an error that tells all."""
        echo = self.stub_engine.echo
        assert echo is not None
        echo.failing = status
        self.visit(address, "manager", hx_request="true", hx_target="results")
        echo.failing = 0

    def administration(self) -> None:
        """Every list and one row of each model, as the superuser."""
        browser = self.stage.browsers["superuser"]
        for model in registered():
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            places.answer(self.hunt, f"{name} list", browser.get(reverse(f"{name}_changelist"), {"q": "walk-"}))
            places.answer(self.hunt, f"{name} list", browser.get(reverse(f"{name}_changelist")))
            for row in model._default_manager.order_by("-pk")[:2]:
                answer = browser.get(reverse(f"{name}_change", args=[row.pk]))
                assert answer.status_code == 200, name
                places.answer(self.hunt, f"{name} row", answer)


@pytest.mark.slow
def test_no_address_shows_a_secret(hunt: Hunt, log: io.StringIO) -> None:
    heartbeat.beat()
    with EchoingShelf() as stub_engine:
        walk = Walk(hunt, stub_engine)
        for number, address in enumerate(matrix.addresses()):
            if address.name in LEFT_OUT or address.whose == matrix.OTHERS:
                continue
            caches.forget_answers()
            walk.visit(address, "manager")
            if address.name in FOR_SUPERUSERS:
                walk.visit(address, "superuser")
            if not address.action:
                walk.fail(address, ERRORS[number % len(ERRORS)])
        walk.administration()
        places.everything(hunt)
    hunt.look("log", log.getvalue())
    # Silence means something only where the engine was heard, and where pages showed what it said.
    assert hunt.holds(HIDDEN) > 50
    assert {"Credential.secret", "Credential.password", "CredentialSecret.secret", "typed into a form"} <= set(
        hunt.secrets
    )
    hunt.must_be_in_vain(__name__)
