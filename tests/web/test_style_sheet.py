"""The style sheet of all pages: of Tabler it has what pages use, and it is small."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.urls import reverse
from whitenoise.compress import Compressor

from console import static, style_sheet
from tests.stub_engine import StubEngine
from tests.web import matrix
from tests.web.filled_workspace import furnish

PACKAGE, OWN = static._STYLES
#: The sheets with the rules of some pages, which these load beside that of all pages.
PAGE_SHEETS = ("credentials.css", "home.css", "launch_forms.css", "lists.css", "steps.css")
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
#: Classes in HTML.
_GIVEN = re.compile(r'class="([^"]*)"')
#: A class of a template or of markup in a module whose end comes from a value.
_COMPOSED = re.compile(r'(?:class="[^"<>]*?[ "]|f"|[ "])([a-z]+-)\{')
#: Beginnings of ids and of the console's own classes.
_NOT_TABLERS = {"chart-", "column-", "d-", "is-", "step-", "tab-"}
_TAG = re.compile(r"<[a-z][^>]*>")


def _built() -> str:
    path = finders.find(static.STYLES)
    assert isinstance(path, str)
    return Path(path).read_text(encoding="utf-8")


def _package() -> str:
    return PACKAGE.read_text(encoding="utf-8")


def _own_classes(name: str) -> set[str]:
    """The classes that only this sheet has rules for."""
    selectors = "".join(re.findall(r"[^{}]+\{", (OWN.parent / name).read_text(encoding="utf-8")))
    return set(_CLASS.findall(selectors)) - set(_CLASS.findall(_built()))


def _selectors(css: str) -> set[str]:
    return {selector for head in re.findall(r"([^{}]+)\{", css) for selector in head.split(",")}


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        (".card{top:0}", ".card{top:0}"),
        (".carousel{top:0}", ""),
        (".card,.carousel{top:0}", ".card{top:0}"),
        (".card .carousel,.card>.btn{top:0}", ".card>.btn{top:0}"),
        (".btn-check:checked+.btn{top:0}", ""),
        (":not(.btn-check)+.btn:active{top:0}", ":not(.btn-check)+.btn:active{top:0}"),
        (".btn:is(.carousel,.card){top:0}", ".btn:is(.carousel,.card){top:0}"),
        (".btn:where(.carousel,.modal){top:0}", ""),
        (".card:has(>.carousel){top:0}", ""),
        ("#main{top:0}#other{top:0}", "#main{top:0}"),
        ("[data-bs-theme=dark] .card{top:0}", "[data-bs-theme=dark] .card{top:0}"),
        ("[data-popper] .card{top:0}", ""),
        ("marquee{top:0}", ""),
        ("*,::before{top:0}", "*,::before{top:0}"),
        (".btn::-webkit-x,.card:-ms-y{top:0}", ".btn::-webkit-x{top:0}"),
        (".bg-red-lt{top:0}.bg-facebook-lt{top:0}", ".bg-red-lt{top:0}"),
        ("@media print{.carousel{top:0}}", ""),
        ("@media print{.card{top:0}.carousel{top:0}}", "@media print{.card{top:0}}"),
        ("@supports (top:0){@media print{.card{top:0}}}", "@supports (top:0){@media print{.card{top:0}}}"),
        (
            ":root{--a:var(--b);--b:1;--c:var(--d);--d:1}.card{top:var(--a)}",
            ":root{--a:var(--b);--b:1}.card{top:var(--a)}",
        ),
        (":root{--script:1;--other:1}", ":root{--script:1}"),
        (
            "@keyframes turn{to{top:0}}@keyframes fade{to{top:0}}.card{animation:turn 1s}",
            "@keyframes turn{to{top:0}}.card{animation:turn 1s}",
        ),
        ("@keyframes fade{to{top:var(--a)}}:root{--a:1}", ""),
        (".card{top:0;left:0}.btn{top:1px}.card{top:2px}", ".card{left:0}.btn{top:1px}.card{top:2px}"),
        (".card{top:0!important}.card{top:2px}", ".card{top:0!important}.card{top:2px}"),
        (".card{display:-webkit-box;display:flex}", ".card{display:-webkit-box;display:flex}"),
        (".card{--script:1;--script:2}", ".card{--script:2}"),
        (".card{-moz-appearance:none;appearance:none}", ".card{appearance:none}"),
        ("/*! licence */.card{/* note */top : 0 }/* note */", "/*! licence */.card{top:0}"),
        (
            '.card{background:url("data:image/svg+xml,%3csvg;,{}")}',
            '.card{background:url("data:image/svg+xml,%3csvg;,{}")}',
        ),
    ],
)
def test_a_rule_is_kept_if_a_page_can_use_it(rule: str, shown: str) -> None:
    names = style_sheet.words(['<a id="main" class="card btn" data-bs-theme="dark"> var(--script)'])
    assert style_sheet.style_sheet(rule, "", names) == f'@charset "UTF-8";{shown}'


def test_of_the_consoles_own_rules_all_are_kept_after_those_of_the_package() -> None:
    assert style_sheet.style_sheet(".card{top:0}", ".any { left: 0; }", {".card"}).endswith(".card{top:0}.any{left:0}")


@pytest.mark.parametrize("rule", [".card{top:0}}", "@import 'other.css';", ".card{.btn{top:0}}"])
def test_what_is_not_understood_is_an_error_not_left_out(rule: str) -> None:
    with pytest.raises(ValueError, match=r"^1:\d+: "):
        style_sheet.style_sheet("", rule, set())


@pytest.mark.slow
def test_the_style_sheet_is_small_and_the_same_each_time() -> None:
    built = _built()
    names = style_sheet.words(path.read_text(encoding="utf-8") for path in static._markup())
    again = style_sheet.style_sheet(_package(), OWN.read_text(encoding="utf-8"), names)
    assert built == again
    assert len(built.encode()) < 150_000
    assert len(Compressor.compress_brotli(built.encode())) < 20_000


@pytest.mark.slow
def test_the_style_sheet_is_made_again_when_a_source_has_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built = _built()
    changed = tmp_path / "app.css"
    changed.write_text(".new { color: red; }")
    with monkeypatch.context() as patch:
        patch.setattr(static, "_STYLES", (PACKAGE, changed))
        assert _built().endswith(".new{color:red}")
    assert _built() == built


@pytest.mark.slow
def test_every_class_with_an_end_that_comes_from_a_value_is_declared() -> None:
    declared = {form.partition("{")[0] for form in style_sheet.COMPOSED}
    found = {begin for path in static._markup() for begin in _COMPOSED.findall(path.read_text(encoding="utf-8"))}
    tablers = {begin for begin in found if f".{begin}" in _package()}
    assert tablers - _NOT_TABLERS == declared


@pytest.mark.slow
@pytest.mark.django_db
def test_no_page_has_an_element_for_a_rule_that_is_left_out_or_in_a_sheet_that_it_does_not_load(
    stub_engine: StubEngine,
) -> None:
    """Every address, as somebody who gets a page there; those of signing in and of the administration, too."""
    stage = furnish(stub_engine)
    administration = (
        reverse("admin:index"),
        reverse("admin:workflows_ui_user_changelist"),
        reverse("admin:workflows_ui_user_change", args=[stage.sales.owner.pk]),
        reverse("admin:workflows_ui_workspace_change", args=[stage.sales.workspace.pk]),
    )
    pages, own = [], {name: _own_classes(name) for name in PAGE_SHEETS}
    assert all(own.values())
    unstyled = set()
    for url in administration:
        page = stage.browsers["superuser"].get(url)
        assert page.status_code == 200
        pages.append(page.content.decode())
    for address in matrix.addresses():
        for person in ("manager", "superuser", "signed out"):
            answer = stage.browsers[person].get(address.url(stage.sales, person))
            if isinstance(answer, HttpResponse) and answer["Content-Type"].startswith("text/html"):
                pages.append(html := answer.content.decode())
                if html.startswith("<!doctype html>"):
                    given = {name for names in _GIVEN.findall(html) for name in names.split()}
                    unstyled |= {
                        (address, name) for name in PAGE_SHEETS if given & own[name] and f"/{name}" not in html
                    }
                if answer.status_code == 200:
                    break
    tags = {tag for page in pages for tag in _TAG.findall(page)}
    names = {name for name in style_sheet.words(tags) if not name.startswith(".")}
    classes = {f".{name}" for tag in tags for given in _GIVEN.findall(tag) for name in given.split()}
    assert len(classes) > 300
    assert not unstyled
    seen = style_sheet.style_sheet(_package(), OWN.read_text(encoding="utf-8"), names | classes)
    assert _selectors(seen) - _selectors(_built()) == set()
