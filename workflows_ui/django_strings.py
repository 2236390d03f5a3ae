"""Texts that Django itself shows and has in no Vietnamese, listed so that they are in our catalogue, which comes before Django's.

Only what a person can meet here: what the rules for passwords and the fields of our forms say.
"""

from django.utils.translation import gettext_noop, ngettext_lazy

#: Errors of a form's fields.
SEEN = (
    gettext_noop("Enter a complete value."),
    gettext_noop("Enter a valid UUID."),
    gettext_noop("Null characters are not allowed."),
)
#: One that counts.
TOO_SHORT = ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)
