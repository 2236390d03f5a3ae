"""Texts from allauth's code, listed for the console's catalogue, since allauth has no Vietnamese.

Most texts are in the console's templates, forms and adapter. A test visits every page of an account and finds missing texts.
"""

from django.utils.translation import gettext_noop

#: Errors of forms.
SEEN = (gettext_noop("You must type the same password each time."),)
