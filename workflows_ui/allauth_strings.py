"""Texts that allauth itself shows, listed so that they are in our catalogue: it ships no Vietnamese.

Almost everything is in our own templates, forms and adapter; what is here comes out of allauth's code. A test visits every page of
one's account and finds any text of allauth's that is missing here.
"""

from django.utils.translation import gettext_noop

#: Errors of forms.
SEEN = (gettext_noop("You must type the same password each time."),)
