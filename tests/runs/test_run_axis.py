"""A run's steps on one axis, with the rounds of loops and with waits; and their values for reading."""

from django.test import Client
from django.utils import translation

from tests.stub_engine import StubEngine, identity, run, text
from workflows_ui.core.readable import readable_node
from workflows_ui.engine_objects.runs import Run
from workflows_ui.runs.steps import Reader, ValueRoom
from workflows_ui.runs.times import WIDTH, Bar, Times

ONE = f"/w/sales/runs/{identity(1)}/"


def test_rounds_have_bars_of_their_own_on_the_axis_of_the_steps() -> None:
    rounds = [{"inner": {"type": "CODE", "status": "SUCCEEDED", "duration": took}} for took in (100, 300)]
    steps = {
        "first": {"type": "CODE", "status": "SUCCEEDED", "duration": 600},
        "loop": {"type": "LOOP_ON_ITEMS", "status": "SUCCEEDED", "output": {"iterations": rounds}},
    }
    row = run(steps=steps)
    times = Times(Run(row), {})
    views = Reader({}, times, Run(row)).read(steps)
    assert times.ticks() == ["0", "250 ms", "500 ms", "750 ms", "1.0 s"]
    assert [turn.bar for turn in views[1].iterations] == [Bar(600, 100), Bar(700, 300)]
    assert views[1].iterations[1].steps[0].bar == Bar(700, 300)


def test_a_wait_is_a_part_of_the_axis_and_later_steps_begin_after_it() -> None:
    steps = {
        "delay": {"status": "SUCCEEDED", "duration": 100, "input": {"unit": "seconds", "delayFor": 1}},
        "after": {"status": "SUCCEEDED", "duration": 900},
    }
    row = run(steps=steps, startTime="2026-11-27T10:00:00.000Z", finishTime="2026-11-27T10:00:02.000Z")
    times = Times(Run(row), {})
    delay, after = Reader({}, times, Run(row)).read(steps)
    assert times.axis == 2000
    assert (delay.bar, delay.wait_bar, after.bar) == (Bar(0, 50), Bar(50, 500), Bar(550, 450))
    assert after.bar is not None
    assert after.bar.x + after.bar.width == WIDTH


def test_the_round_that_failed_is_opened_and_the_others_are_not(owner: Client, stub_engine: StubEngine) -> None:
    rounds = [
        {"inner": {"type": "CODE", "status": state, "duration": 5}} for state in ("SUCCEEDED", "FAILED", "SUCCEEDED")
    ]
    loop = {"type": "LOOP_ON_ITEMS", "status": "FAILED", "output": {"iterations": rounds}}
    stub_engine.runs = [run(status="FAILED", steps={"loop": loop}, failedStep={"name": "inner"})]
    page = text(owner.get(ONE).content)
    assert [f'id="step-0-{number}" open' in page for number in (1, 2, 3)] == [False, True, False]
    assert page.count('class="run-axis"') == 1


def test_values_are_for_reading_and_none_of_them_loads_anything() -> None:
    value = {
        "amount": 1234567.5,
        "year": 2026,
        "at": "2026-11-27T10:00:00.000Z",
        "site": "https://example.com/a?b=1",
        "script": "javascript:alert(1)",
        "picture": "data:image/png;base64," + "A" * 4000,
        "phone": "0912345678",
    }
    with translation.override("en"):
        fields = dict(readable_node(value, ValueRoom()).entries)
    assert fields["amount"].text == "1,234,567.5"
    assert fields["year"].text == "2026"
    assert fields["at"].text.startswith("27 Nov 2026 ")
    assert (fields["site"].kind, fields["site"].href) == ("link", "https://example.com/a?b=1")
    assert fields["script"].kind == "plain"
    assert (fields["picture"].kind, fields["picture"].text) == ("plain", "image/png, 3 kB")
    assert fields["phone"].text == "0912345678"
    with translation.override("vi"):
        assert dict(readable_node(value, ValueRoom()).entries)["amount"].text == "1.234.567,5"
