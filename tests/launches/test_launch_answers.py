"""An answer for people: the message first, facts and tables, links, small pictures, files; and nothing of it ever HTML."""

import base64
import json
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings, strategies as st

from tests import flows
from tests.launches.launch_scene import Scene, unescape
from workflows_ui.launches import answers as launch_answers
from workflows_ui.launches.models import Launch, State

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 60).decode()
PDF = base64.b64encode(b"%PDF-1.4 example").decode()


def _done(scene: Scene, answer: Any, type: str = "application/json") -> Launch:
    return scene.row(
        state=State.SUCCEEDED,
        ended_at=timezone.now(),
        answer_from="flow",
        answer_status=200,
        answer_type=type,
        answer=answer if isinstance(answer, str) else json.dumps(answer),
    )


def _before_raw(page: str) -> str:
    """What stands above the raw answer."""
    return page.partition('id="answer-title"')[2].partition('id="answer-raw"')[0]


def test_a_message_is_read_first_and_the_rest_as_facts_with_readable_names(scene: Scene) -> None:
    flow = flows.make(
        scene.workflows,
        "Quick",
        flows.response({"message": "Đã nhận đơn của chị Lan", "totalAmount": 370000, "in_stock": True}),
    )
    launch = scene.watch(scene.launch(flow, wait=True))
    shown = unescape(_before_raw(scene.page(launch)))
    assert "Đã nhận đơn của chị Lan" in shown
    assert "Total amount" in shown
    assert "In stock" in shown
    assert "370,000" in shown
    assert "{" not in shown.partition('class="answer-message')[2].partition("</p>")[0]


def test_rows_become_a_table(scene: Scene) -> None:
    shown = _before_raw(scene.page(_done(scene, [{"sku": "TRA-01", "qty": 2}, {"sku": "CFE-12", "qty": 1}])))
    assert '<th scope="col" dir="auto">Sku</th>' in shown
    assert shown.count("<tr>") == 3


def test_an_http_answer_that_is_handed_on_shows_its_body(scene: Scene) -> None:
    shown = unescape(
        _before_raw(scene.page(_done(scene, {"status": 200, "headers": {"a": "b"}, "body": {"message": "Hello"}})))
    )
    assert "Hello" in shown
    assert "Headers" not in shown


def test_addresses_are_links_that_reveal_to_nobody_where_one_came_from(scene: Scene) -> None:
    answer = {
        "message": "See https://example.com/a?b=1&c=2. Thanks",
        "invoice": "https://example.com/i.pdf",
        "odd": "javascript:alert(1)",
    }
    shown = _before_raw(scene.page(_done(scene, answer)))
    assert 'href="https://example.com/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer nofollow"' in shown
    assert 'href="https://example.com/i.pdf"' in shown
    assert 'href="javascript' not in shown
    assert "<img" not in shown


def test_small_pictures_are_shown_and_files_are_saved(scene: Scene) -> None:
    launch = _done(
        scene,
        {"chart": f"data:image/png;base64,{PNG}", "report": f"data:application/pdf;name=\"../bao cao.pdf\";base64,{PDF}"},
    )  # fmt: skip
    shown = _before_raw(scene.page(launch))
    assert f'src="data:image/png;base64,{PNG}"' in unescape(shown)
    url = reverse("launch_file", args=["sales", launch.pk, 2])
    assert f'href="{url}"' in shown
    response = scene.browser.get(url)
    assert isinstance(response, HttpResponse)
    assert response.content == b"%PDF-1.4 example"
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("attachment")
    assert "/" not in response["Content-Disposition"].partition("filename")[2]
    assert scene.browser.get(reverse("launch_file", args=["sales", launch.pk, 3])).status_code == 404


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "application/javascript", "x/y"])
def test_files_that_could_do_something_are_bytes_to_save(scene: Scene, kind: str) -> None:
    data = base64.b64encode(b"<script>alert(1)</script>").decode()
    launch = _done(scene, {"file": f"data:{kind};base64,{data}"})
    assert "<img" not in _before_raw(scene.page(launch))
    response = scene.browser.get(reverse("launch_file", args=["sales", launch.pk, 1]))
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment")


def test_plain_values_are_a_simple_list_and_wide_tables_scroll_with_long_cells_folded(scene: Scene) -> None:
    shown = unescape(
        _before_raw(scene.page(_done(scene, {"tags": ["new", "https://example.com/a", 3], "rows": _wide()})))
    )
    assert '<ul class="readable-items">' in shown
    assert shown.count("<li>") == 3
    assert '<th scope="col" dir="auto">Col 19</th>' in shown
    assert shown.count('class="fold-text"') == 3
    assert 'class="readable-wide" tabindex="0"' in shown


def _wide() -> list[dict[str, str]]:
    return [{f"col_{number}": "x" for number in range(19)} | {"col_19": "long " * 30} for _row in range(3)]


def test_addresses_to_write_and_call_are_links_and_odd_ones_are_not(scene: Scene) -> None:
    answer = {
        "to": "lan@example.com",
        "write": "mailto:an@example.com?subject=a",
        "call": "tel:+84 90-123",
        "bad": "data:,x",
        "js": "tel:javascript:x",
    }
    shown = unescape(_before_raw(scene.page(_done(scene, answer))))
    for address in ("mailto:lan@example.com", "mailto:an@example.com?subject=a", "tel:+84 90-123"):
        assert f'href="{address}" target="_blank" rel="noopener noreferrer nofollow"' in shown
    assert shown.count("href=") == 3


def test_pictures_are_shown_only_as_long_as_the_page_stays_light(scene: Scene) -> None:
    big = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 170_000).decode()
    shown = _before_raw(scene.page(_done(scene, [f"data:image/png;base64,{big}"] * 8)))
    assert shown.count("<img") == 4
    assert shown.count("Save file-") == 8 - 4


@pytest.mark.parametrize("answer", ["", "   ", "null", "{}", "[]", '""', '{"status": 200, "headers": {}, "body": {}}'])
def test_an_empty_answer_is_said_to_be_one(scene: Scene, answer: str) -> None:
    assert "The flow returned no answer." in unescape(scene.page(_done(scene, answer)))


def test_a_huge_answer_is_cut_on_the_page_and_saved_whole_with_secrets_masked(scene: Scene) -> None:
    launch = _done(
        scene,
        {"message": "x" * 250_000, "rows": [{"note": "y" * 9} for _row in range(3_000)], "authorization": "hunter2"},
    )
    page = unescape(scene.page(launch))
    url = reverse("launch_file", args=["sales", launch.pk, 0])
    assert f'href="{url}"' in page
    assert "more characters are not shown" in page
    response = scene.browser.get(url)
    assert response["Content-Disposition"].startswith("attachment")
    assert isinstance(response, HttpResponse)
    saved = json.loads(response.content)
    assert len(saved["rows"]) == 3_000
    assert saved["message"] == "x" * 250_000
    assert saved["authorization"] != "hunter2"


def test_html_in_an_answer_stays_text(scene: Scene) -> None:
    page = scene.page(_done(scene, {"message": "<b>bold</b>", "<i>key</i>": "<script>x</script>"}))
    for bad in ("<b>bold", "<i>key", "<script>x"):
        assert bad not in page
    assert "&lt;b&gt;bold" in page


@pytest.mark.parametrize(
    "answer",
    [None, "", [], {}, 0, False, "   ", [[[[[[[]]]]]]], {"": ""}, {"message": None}, {"message": {"a": 1}}, ["x"] * 3000,
     {"k" * 10_000: "v" * 100_000}, {"body": {"body": {"body": {"body": {"body": 1}}}}}, {"status": 1}, "data:", "data:;base64,%%%",
     {"message": "\ud800"}, {"a": "data:image/png;base64,!!!!"}, {"body": "x", 1: 2}],
)  # fmt: skip
@pytest.mark.sampled(3)
def test_odd_answers_are_shown_too(scene: Scene, answer: Any) -> None:
    assert "answer-title" in scene.page(_done(scene, json.dumps(answer)))


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
        max_leaves=15,
    )
)
def test_any_json_can_be_read(value: Any) -> None:
    found = launch_answers.read_answer(value)
    assert found.empty or found.message or found.rest is not None


MARKDOWN = """# Đơn 120

**Đã nhận** lúc *9:00*:

- trà
- cà phê

| Món | Số |
|---|---|
| Trà | 2 |

Xem [hoá đơn](https://shop.example/i/1) hoặc https://shop.example/h, [trợ giúp](mailto:a@shop.example).
"""


def test_markdown_is_formatted_and_a_link_says_to_which_host_it_leads(scene: Scene) -> None:
    shown = _before_raw(scene.page(_done(scene, {"message": MARKDOWN, "note": "1. one\n2. two"})))
    for part in ("<strong>Đã nhận</strong>", "<em>9:00</em>", "<li>trà</li>", "<td>Trà</td>", "<li>two</li>"):
        assert part in shown, part
    assert "<h3>Đơn 120</h3>" in shown
    assert '">hoá đơn</a> (shop.example)' in shown
    assert '">https://shop.example/h</a>' in shown
    assert '">trợ giúp</a> (a@shop.example)' in shown
    links = shown.count("<a href=")
    assert links >= 3
    assert shown.count('rel="noopener noreferrer nofollow"') == links
    assert 'id="answer-raw"' in scene.page(_done(scene, MARKDOWN, "text/plain"))


@pytest.mark.parametrize(
    "text",
    [
        "**a** <script>alert(1)</script>",
        "**a** [x](javascript:alert(1)) [y](data:text/html;base64,PHNjcmlwdD4=)",
        "**a** ![pixel](https://evil.example/p.png)",
        "**a** ![pixel](data:image/svg+xml;base64,PHN2Zz4=)",
        "**a** [out](/accounts/logout/) [up](../settings/) [here](?tab=a) [at](#alerts)",
        "**a** <img src=x onerror=alert(1)> <form action=/x><input>",
        "**a** [x](https://evil.example/" + chr(8226) * 8 + ")",
    ],
)
def test_nothing_in_markdown_can_do_or_load_something_or_lead_into_the_console(scene: Scene, text: str) -> None:
    shown = _before_raw(scene.page(_done(scene, {"message": text}))).partition('class="answer-message')[2]
    shown = shown.partition("</details>")[0].partition('class="technical')[0]
    for bad in (
        "<script",
        "<img",
        "<form",
        "<input",
        "<svg",
        'href="/',
        'href=".',
        'href="?',
        'href="#',
    ):
        assert bad not in shown.replace("&lt;", ""), bad
    assert not re.search(r'href="(?!https?://)', shown)


@pytest.mark.parametrize(
    "text", ["2 * 3 * 4", "snake_case_name", "# 7", "- 5 kg", "a | b", "5 > 3", "__init__", "* footnote"]
)
def test_a_plain_text_stays_as_it_is(scene: Scene, text: str) -> None:
    shown = unescape(_before_raw(scene.page(_done(scene, {"message": text}))))
    assert f'dir="auto">{text}</p>' in shown


def test_dates_are_in_the_readers_zone_and_language(scene: Scene) -> None:
    answer = {
        "paid": "2026-11-30T09:12:00Z",
        "due": "2026-12-24",
        "code": "20261130",
        "zoned": "2026-11-30T09:12:00+07:00",
    }
    type(scene.users.colleague).objects.update(time_zone="Asia/Ho_Chi_Minh")
    shown = unescape(_before_raw(scene.page(_done(scene, [answer, answer]))))
    assert "30 Nov 2026 16:12:00" in shown
    assert "30 Nov 2026 09:12:00" in shown
    assert "24 Dec 2026" in shown
    assert "20261130" in shown
    assert 'title="2026-11-30T09:12:00Z"' in shown
