"""Whatever stands in an address or in a field of a form: no page ends as an error of our own."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings, strategies as st

from tests.fuzz.asking import FRAGMENT, answered, few_or_many, rounds
from tests.fuzz.odd import Fields, parameters, texts
from tests.web import matrix
from tests.web.filled_workspace import Furnished, furnish, once

pytestmark = [pytest.mark.django_db]
ADDRESSES = [one for one in matrix.addresses() if one.name != "account_logout"]


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Furnished]:
    """Once for all: what one request does is taken back before the next one."""
    with once(django_db_blocker) as stub_engine:
        yield furnish(stub_engine)


def _odd_path(url: str, text: str, at: int) -> str:
    parts = url.strip("/").split("/")
    parts[at % len(parts)] = quote(text or "-", safe="")
    return f"/{'/'.join(parts)}/"


def _addresses(stage: Furnished, run: settings) -> None:
    browser = stage.browsers["manager"]

    @run
    @given(
        one=st.sampled_from(ADDRESSES),
        query=st.lists(st.tuples(st.sampled_from(parameters()), texts), max_size=4),
        odd=st.one_of(st.none(), st.tuples(texts, st.integers(0, 6))),
        fragment=st.booleans(),
    )
    def ask(one: matrix.Address, query: list[tuple[str, str]], odd: tuple[str, int] | None, fragment: bool) -> None:
        url = one.url(stage.sales, "manager")
        if odd is not None:
            url = _odd_path(url, *odd)
        url = f"{url}?{urlencode(query, errors='surrogatepass')}"
        answered(browser, lambda: browser.get(url, headers=FRAGMENT if fragment else {}))

    ask()


def _forms(stage: Furnished, run: settings) -> None:
    browser = stage.browsers["manager"]
    known: dict[str, list[tuple[str, list[tuple[str, str]]]]] = {}

    def forms_of(url: str) -> list[tuple[str, list[tuple[str, str]]]]:
        if url not in known:
            page = Fields(url)
            answer = answered(browser, lambda: browser.get(url))
            if answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
                page.feed(answer.content.decode())
            known[url] = page.forms
        return known[url]

    @run
    @given(
        one=st.sampled_from(ADDRESSES),
        which=st.integers(0, 5),
        odd=st.lists(st.tuples(st.integers(0, 60), texts), min_size=1, max_size=5),
        more=st.lists(st.tuples(st.sampled_from(parameters()), texts), max_size=3),
        gone=st.integers(0, 40),
        fragment=st.booleans(),
    )
    def send(
        one: matrix.Address,
        which: int,
        odd: list[tuple[int, str]],
        more: list[tuple[str, str]],
        gone: int,
        fragment: bool,
    ) -> None:
        url = one.url(stage.sales, "manager")
        found = forms_of(url)
        target, fields = found[which % len(found)] if found else (url, [])
        if not target.startswith("/") or "logout" in target:
            target = url
        sent: dict[str, list[str]] = {}
        for name, value in fields:
            sent.setdefault(name, []).append(value)
        names = list(sent)
        for at, text in odd:
            if names:
                sent[names[at % len(names)]] = [text]
        for name, text in more:
            sent.setdefault(name, []).append(text)
        if gone < len(names):
            del sent[names[gone]]
        sent.pop("csrfmiddlewaretoken", None)
        answered(browser, lambda: browser.post(target, sent, headers=FRAGMENT if fragment else {}))

    send()


@pytest.mark.slow
@few_or_many
def test_no_address_or_parameter_leads_to_an_error_of_our_own(stage: Furnished, run: settings) -> None:
    _addresses(stage, run)


@pytest.mark.slow
@few_or_many
def test_no_field_of_a_form_leads_to_an_error_of_our_own(stage: Furnished, run: settings) -> None:
    _forms(stage, run)


@pytest.mark.chaos
@pytest.mark.timeout(0)
def test_addresses_and_fields_drawn_for_half_an_hour_lead_to_no_error_of_our_own(stage: Furnished) -> None:
    for run in rounds():
        _addresses(stage, run)
        _forms(stage, run)
