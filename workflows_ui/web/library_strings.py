"""Texts of Django and allauth without a Vietnamese translation, listed for the console's catalogue, which takes precedence.

Only texts that can occur here and are in no template, form or adapter of the console. A test visits every page of an account and finds
missing texts.
"""

from django.utils.translation import gettext_noop, ngettext_lazy

ALLAUTH = (gettext_noop("You must type the same password each time."),)
#: Errors of a form's fields.
DJANGO = (
    gettext_noop("Enter a complete value."),
    gettext_noop("Enter a valid UUID."),
    gettext_noop("Null characters are not allowed."),
)
#: A text with a plural.
TOO_SHORT = ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)
