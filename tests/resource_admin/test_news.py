"""Lists that say how many rows came since they were shown."""

from urllib.parse import parse_qsl

import pytest
from django.test import Client

from tests.stub_engine import StubEngine, flow, text

pytestmark = pytest.mark.django_db


def test_lists_of_the_engine_say_what_came_since_and_the_engine_is_asked_once_for_all_viewers(
    owner: Client, stub_engine: StubEngine
) -> None:
    headers = {"HX-Request": "true", "HX-Target": "news"}
    stub_engine.flows = [flow(1, "One", created="2026-01-01T00:00:00.000Z")]
    news = owner.get("/w/sales/flows/").context["news"]
    question = dict(parse_qsl(news.url.partition("?")[2]))
    stub_engine.flows += [flow(2, "Two", created="2026-01-02T00:00:00.000Z"), flow(3, "Odd", created=5)]
    asked = len(stub_engine.queries("/flows"))
    assert "1 new" in text(owner.get("/w/sales/flows/", question, headers=headers).content)
    once = len(stub_engine.queries("/flows"))
    assert once == asked + 1
    assert owner.get("/w/sales/flows/", question | {"seen": "1"}, headers=headers).status_code == 204
    assert len(stub_engine.queries("/flows")) == once
