"""`manage.py startresource`: writes the files of a new resource, so that every test suite includes it and passes."""

import inspect
import re
from pathlib import Path
from string import Template
from typing import Any

from babel.messages.pofile import read_po, write_po
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.engine import Workflows
from workflows_ui.members.models import Role
from workflows_ui.resources import RESOURCES
from workflows_ui.web import icons
from workflows_ui.web.navigation import GROUPS

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ROUTE = re.compile(r"`GET (/v1/[\w/-]+)")
_DECLARATION = Template('''\
"""$plural: the list and the detail page (`GET $path`)."""

from django.utils.translation import gettext_lazy as _

from workflows_ui.credentials.services.engine_session import EngineSession
${import_error}from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.resource import Column, Page, Query, Resource, Row
$calls

class $class_name(Resource):
    name = "$name"
    label, label_plural = _("$label"), _("$plural")
    icon, group = "$icon", "$group"
    batch_size = whole_lists.AT_ONCE
    title_path = "$title"
    recipe = ($recipe, "")
    list_display = (
        Column("$title", _("Name"), link=True),
        Column("updated", _("Updated"), kind="when"),
    )
    details = (
        Column("created", _("Created"), kind="when"),
        Column("updated", _("Updated"), kind="when"),
        Column("id", _("Engine ID"), kind="id"),
    )

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page in the engine's order."""
        answer = session.workflows.$list_call(limit=self.batch_size, cursor=whole_lists.cursor(query))
        return whole_lists.page_of(answer, query)

    def get(self, session: EngineSession, id: str) -> Row:
$get_body
''')
_GET = Template("        return session.workflows.$get_call(id)")
_FIND = Template('''\
        """The object, searched in the list: the engine has no call for a single one. Raises NotFound."""
        load = session.workflows.$list_call
        row = whole_lists.find(lambda cursor: load(limit=self.batch_size, cursor=cursor), id, _CALLS)
        if row is None:
            raise NotFound("The list does not hold this id.", code="ENTITY_NOT_FOUND")
        return row''')
#: Of a declaration that searches its list.
_IMPORT_ERROR = "from workflows_ui.engine import NotFound\n"
_SEARCH_CALLS = """
#: Calls of the list in which an object is searched by its id.
_CALLS = 10
"""
_SAMPLE = Template('''\
"""An object of $name, with the keys that the declaration reads."""

from tests.resources.samples import Sample
from tests.stub_engine import identity

_MADE = "2026-11-24T22:37:51.391Z"
_ROW = {"id": identity(1), "created": _MADE, "updated": _MADE, "projectId": "P" * 21}

SAMPLE = Sample(
    "$route",
    lambda name: {**_ROW, $entry},
    ("$route",),
    huge={"note": "y" * 3_000_000},
$own_call)
''')


class Command(BaseCommand):
    """Writes a resource's declaration, its sample for the test server, its permission rows and its translated name."""

    help = "Writes the files of a new resource (docs/adding-a-resource.md)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "name", help="its part of the address: lower case letters, digits and dashes, in the plural"
        )
        parser.add_argument("--label", default="", help="what one is called; made from the name if left out")
        parser.add_argument("--plural", default="", help="what many are called; made from the name if left out")
        parser.add_argument(
            "--vietnamese", default="", help="what it is called in Vietnamese; `make check` asks for it if left out"
        )
        parser.add_argument("--group", default="build", choices=list(GROUPS), help="group of the menu")
        parser.add_argument("--icon", default="box", help="a name in web/icons.txt")
        parser.add_argument("--title", default="name", help="dotted path of the object's name in the engine's answer")
        parser.add_argument("--list", default="", help="the client's method for the list; list_<name> if left out")
        single = parser.add_mutually_exclusive_group()
        single.add_argument("--get", default="", help="the client's method for one object; get_<name> if left out")
        single.add_argument(
            "--list-only", action="store_true", help="the engine has no call for one object: it is searched in the list"
        )

    def handle(self, *args: object, **options: Any) -> None:
        name = options["name"]
        if not _NAME.fullmatch(name):
            raise CommandError("The name must be lower case letters, digits and single dashes.")
        if options["icon"] not in icons.NAMES:
            raise CommandError(f"{icons.unknown(options['icon'])} {icons.advice(options['icon'])}")
        package = name.replace("-", "_")
        root = Path(apps.get_app_config("workflows_ui").path).parent
        folder = root / "workflows_ui" / "resources" / package
        if folder.exists() or name in {resource.name for resource in RESOURCES}:
            raise CommandError(f"There is a resource {name!r}.")
        plural = options["plural"] or name.replace("-", " ").capitalize()
        label = options["label"] or _singular(plural)
        list_call = options["list"] or f"list_{package}"
        path = _path(list_call)
        values = {
            **options,
            "class_name": "".join(part.capitalize() for part in name.split("-")),
            "label": label,
            "plural": plural,
            "path": path,
            "route": path.removeprefix("/v1"),
            "entry": _entry(options["title"]),
            "list_call": list_call,
        }
        if options["list_only"]:
            values |= {
                "import_error": _IMPORT_ERROR,
                "calls": _SEARCH_CALLS,
                "recipe": f'f"{path}?limit={{whole_lists.AT_ONCE}}"',
                "get_body": _FIND.substitute(values),
                "own_call": "    has_own_call=False,\n",
            }
        else:
            get_call = _existing_method(options["get"] or f"get_{_singular(package)}")
            values |= {"import_error": "", "calls": "", "recipe": f'"{path}/{{id}}"', "own_call": ""}
            values["get_body"] = _GET.substitute(get_call=get_call)
        folder.mkdir()
        self._write(root, folder / "__init__.py", "")
        self._write(root, folder / "declaration.py", _DECLARATION.substitute(values))
        self._write(root, root / "tests" / "resources" / "samples" / f"{package}.py", _SAMPLE.substitute(values))
        permissions = root / "docs" / "permissions.md"
        self._write(root, permissions, with_permissions(permissions.read_text(encoding="utf-8"), name))
        for catalogue in root.glob("locale/*/LC_MESSAGES/django.po"):
            translated = options["vietnamese"] if catalogue.parent.parent.name == "vi" else ""
            _translate(catalogue, dict.fromkeys((label, plural), translated))
            self.stdout.write(f"{catalogue.relative_to(root)}: {label!r}, {plural!r}")

    def _write(self, root: Path, file: Path, text: str) -> None:
        file.write_text(text, encoding="utf-8")
        self.stdout.write(str(file.relative_to(root)))


def with_permissions(page: str, name: str) -> str:
    """The text of docs/permissions.md with the rows of a new resource for viewers.

    They are copies of another such resource's rows: the answers depend on the role only (tests/web/test_matrix.py).
    """
    model = next(resource.name for resource in RESOURCES if resource.role == Role.VIEWER)
    rows = re.findall(rf"^.*\| resource_(?:list|detail) {model} \|.*\n", page, re.MULTILINE)
    later = (row.start() for row in re.finditer(r"^.*\| resource_list (\S+) \|", page, re.MULTILINE) if row[1] > name)
    start = next(later, len(page))
    return page[:start] + re.sub(rf"\b{model}\b", name, "".join(rows)) + page[start:]


def _path(method: str) -> str:
    """The route of a list, from the docstring of the client's method, which the declaration calls with `limit` and `cursor`."""
    call = getattr(Workflows, _existing_method(method))
    try:
        inspect.signature(call).bind(None, limit=1, cursor=None)
    except TypeError as problem:
        raise CommandError(f"The client's {method} cannot be called with limit and cursor: {problem}.") from problem
    match = _ROUTE.search(call.__doc__ or "")
    if match is None:
        raise CommandError(f"The docstring of the client's {method} does not name its route as `GET /v1/...`.")
    return match[1]


def _existing_method(method: str) -> str:
    if not callable(getattr(Workflows, method, None)):
        raise CommandError(
            f"The client has no {method}: add it to workflows_ui/engine/operations first, or name another with --list or --get."
        )
    return method


def _singular(text: str) -> str:
    return text.removesuffix("ies") + "y" if text.endswith("ies") else text.removesuffix("s")


def _entry(title: str) -> str:
    """The sample's entry for the object's name: `"user": {"email": name}` for `user.email`."""
    parts = title.split(".")
    return ": {".join(f'"{part}"' for part in parts) + ": name" + "}" * (len(parts) - 1)


def _translate(catalogue: Path, texts: dict[str, str]) -> None:
    with catalogue.open(mode="rb") as stream:
        messages = read_po(stream)
    for text, translated in texts.items():
        if text not in messages:
            messages.add(text, translated)
    with catalogue.open(mode="wb") as stream:
        write_po(stream, messages, width=120, ignore_obsolete=True, sort_output=True)
