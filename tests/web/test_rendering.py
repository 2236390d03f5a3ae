"""Templates are condensed when they are loaded, and widgets and URLs written in Python are those that Django would write."""

from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.template import engines
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.safestring import SafeString

from workflows_ui.web.form_rendering import LongSelect, Renderer
from workflows_ui.web.links import object_url
from workflows_ui.web.template_loader import condensed

SOURCE = """<ul>
    {% for word in words %}
        <li>{{ word }}</li>
    {% endfor %}
  </ul>
  <p>One
    {% if words %}
      two
    {% else %}
      none
    {% endif %}
    three {{ words.0 }}
    four</p>
  <pre>
    kept
      as it is
  </pre>
  {% comment %}
    Not shown.
  {% endcomment %}
  <textarea>
  first
  </textarea>
  {% blocktrans %}
    looked up
  {% endblocktrans %}
"""


def _shown(source: str, words: list[str]) -> str:
    return engines["django"].from_string(source).render({"words": words})


@pytest.mark.parametrize("words", [[], ["a", "b"]])
def test_a_condensed_template_says_the_same_in_fewer_characters(words: list[str]) -> None:
    before, after = _shown(SOURCE, words), _shown(condensed(SOURCE), words)
    assert before.split() == after.split()
    assert len(after) < len(before)


def test_what_is_shown_as_it_is_keeps_its_white_space() -> None:
    short = condensed(SOURCE)
    assert "<pre>\n    kept\n      as it is\n  </pre>" in short
    assert "<textarea>\n  first\n  </textarea>" in short
    assert "{% blocktrans %}\n    looked up\n  {% endblocktrans %}" in short
    assert "Not shown" not in short


class _Form(forms.Form):
    name = forms.CharField(
        initial='"<&>', widget=forms.TextInput(attrs={"data-a": 'x"<', "hidden": True, "lang": False})
    )
    secret = forms.CharField(widget=forms.PasswordInput)
    amount = forms.IntegerField(initial=1200, min_value=1)
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    notes = forms.CharField(initial="</textarea>\n1", widget=forms.Textarea)
    empty = forms.CharField(widget=forms.Textarea, required=False)
    agreed = forms.BooleanField(initial=True)
    one = forms.ChoiceField(choices=[("", "–"), ("a", "A & B"), ("Group <1>", [("b", SafeString("<b>B</b>"))]), (3, 3)])
    several = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "<B>")], widget=forms.CheckboxSelectMultiple)
    radio = forms.ChoiceField(choices=[("a", "A"), ("b", "<B>")], widget=forms.RadioSelect, initial="b")
    hidden = forms.CharField(widget=forms.HiddenInput, initial="'")


@pytest.mark.parametrize("name", _Form.base_fields)
def test_a_widget_is_the_one_that_django_writes(name: str) -> None:
    ours, usual = (_Form(renderer=renderer)[name] for renderer in (Renderer(), DjangoTemplates()))
    assert _parts(ours) == _parts(usual)


def test_a_long_select_field_is_the_one_that_django_writes() -> None:
    options = [("", "–"), ("a", "A & B"), ("b", "<B>"), (3, 3)]
    ours, usual = (forms.ChoiceField(choices=options, widget=widget) for widget in (LongSelect, forms.Select))
    form = type("Form", (forms.Form,), {"ours": ours, "usual": usual})({"ours": "a", "usual": "a"})
    assert _words(str(form["ours"]).replace("ours", "usual")) == _words(str(form["usual"]))


def _parts(field: Any) -> list[list[str]]:
    return [_words(str(field)), *(_words(option.tag(wrap_label=True)) for option in field.subwidgets)]


def _words(html: str) -> list[str]:
    return html.replace(">", "> ").replace("<", " <").split()


@pytest.mark.parametrize("id", ["a", "@a/b-c", "Đơn hàng", "a?b#c%d", "x y", "..", "~'\"&;"])
def test_the_url_of_an_object_is_the_one_that_django_builds(id: str) -> None:
    built = reverse("resource_detail", kwargs={"slug": "sales", "resource": "flows", "id": id})
    assert object_url("resource_detail", id, slug="sales", resource="flows") == built


def _rendered(source: str, **context: Any) -> str:
    return engines["django"].from_string(source).render(context)


def test_a_repeated_url_has_its_own_arguments() -> None:
    source = (
        '{% for slug in slugs %}{% url "resource_list" slug "flows" %} {% endfor %}{% url "nothing" as no %}{{ no }}'
    )
    assert _rendered(source, slugs=["sales", "hr"]).split() == ["/w/sales/flows/", "/w/hr/flows/"]
    with pytest.raises(NoReverseMatch):
        _rendered('{% url "resource_list" "not a slug" %}')


def test_a_repeated_text_is_in_the_language_of_each_page() -> None:
    source = engines["django"].from_string('{% trans "Home" %}|{% trans word %}|{% trans "Home" as home %}{{ home }}')
    for language in ("en", "vi", "en"):
        with translation.override(language):
            expected = {"en": "Home|Flows|Home", "vi": "Trang chủ|Luồng|Trang chủ"}[language]
            assert source.render({"word": "Flows"}) == expected


def test_nothing_and_what_can_be_done_about_it_are_shown_with_links_that_work() -> None:
    source = '{% empty "bell" title _("Home") %} <a href="/">{{ title }}</a> {% endempty %}'
    page = engines["django"].from_string(source).render({"title": "<b>"})
    assert '<p class="empty-title">&lt;b&gt;</p>' in page
    assert '<a href="/">&lt;b&gt;</a>' in page
