"""Django's tags `url` and `translate`, which remember what they return: pages have dozens of each, and they seldom change."""

from django import template
from django.template import Context
from django.template.base import FilterExpression, Parser, Token, Variable
from django.template.defaulttags import URLNode, url as django_url
from django.templatetags.i18n import TranslateNode, do_translate
from django.urls import NoReverseMatch
from django.utils.html import conditional_escape
from django.utils.translation import get_language

from workflows_ui.web.links import view_url

register = template.Library()


class _RememberedURL(URLNode):
    """A URL of positional texts and numbers, without a namespace; others are Django's."""

    def render(self, context: Context) -> str:
        view, arguments = self.view_name.resolve(context), [argument.resolve(context) for argument in self.args]
        # A cache takes True for 1, but their URLs differ.
        plain = all(isinstance(argument, str | int) and not isinstance(argument, bool) for argument in arguments)
        if self.kwargs or ":" in view or not plain:
            return super().render(context)
        try:
            found = view_url(view, *arguments)
        except NoReverseMatch:
            if self.asvar is None:
                raise
            found = ""
        if self.asvar:
            context[self.asvar] = found
            return ""
        return conditional_escape(found) if context.autoescape else found


class _RememberedText(template.Node):
    """A constant text, for each language with and without escaping."""

    def __init__(self, node: TranslateNode) -> None:
        self._node = node
        self._found: dict[tuple[str | None, bool], str] = {}

    def render(self, context: Context) -> str:
        key = (get_language(), context.autoescape)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._node.render(context)
        return found


@register.tag
def url(parser: Parser, token: Token) -> URLNode:
    node = django_url(parser, token)
    return _RememberedURL(node.view_name, node.args, node.kwargs, node.asvar)


def translate(parser: Parser, token: Token) -> template.Node:
    node = do_translate(parser, token)
    if node.asvar or node.noop or not _is_constant(node.filter_expression):
        return node
    if node.message_context is not None and not _is_constant(node.message_context):
        return node
    return _RememberedText(node)


def _is_constant(expression: FilterExpression) -> bool:
    value = expression.var
    return not expression.filters and (not isinstance(value, Variable) or value.literal is not None)


register.tag("trans", translate)
register.tag("translate", translate)
