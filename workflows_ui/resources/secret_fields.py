"""Inputs of forms that take an app's secrets: those that never come back to the page, and lines of plain text beside them."""

from django import forms

_LONGEST = 100_000
NO_AUTOFILL = {"autocomplete": "off"}
_AUTOFILL = {"autocomplete": "new-password", "spellcheck": "false"}


class SecretLine(forms.PasswordInput):
    """One line that never comes back."""

    def __init__(self) -> None:
        super().__init__(attrs=_AUTOFILL)


class SecretText(forms.PasswordInput):
    """Several lines that never come back, such as a private key."""

    template_name = "django/forms/widgets/textarea.html"

    def __init__(self) -> None:
        super().__init__(attrs=_AUTOFILL | {"rows": "6", "cols": "40"})


def line(
    label: str, widget: forms.Widget, *, required: bool = True, initial: str = "", help: str = ""
) -> forms.CharField:
    """A field of text. `help` is HTML: what the engine says must be escaped in it."""
    # A secret may begin or end with a blank: only what is shown again is trimmed.
    strip = not isinstance(widget, forms.PasswordInput)
    return forms.CharField(
        label=label[:200],
        required=required,
        initial=initial,
        help_text=help,
        widget=widget,
        max_length=_LONGEST,
        strip=strip,
    )


def words(found: object) -> str:
    """Plain words: the engine's are Markdown, with blank lines and stars."""
    return " ".join(found.replace("**", "").split())[:2000] if isinstance(found, str) else ""
