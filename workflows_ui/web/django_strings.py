"""Django's texts without a Vietnamese translation, listed for the console's catalogue, which takes precedence over Django's.

Only texts that can occur here: from password validators and form fields.
"""

from django.utils.translation import gettext_noop, ngettext_lazy

#: Errors of a form's fields.
SEEN = (
    gettext_noop("Enter a complete value."),
    gettext_noop("Enter a valid UUID."),
    gettext_noop("Null characters are not allowed."),
)
#: A text with a plural.
TOO_SHORT = ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)
