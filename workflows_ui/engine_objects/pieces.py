"""Pieces, which pages call apps: their actions and triggers, their connections, and the properties of these (api.md section 11)."""

from collections.abc import Mapping
from typing import Final

from workflows_ui.core.readers import (
    EngineObject,
    count,
    flag,
    mapping,
    part_or_parts,
    parts,
    parts_by_name,
    text,
    texts,
    texts_by_name,
    tree,
    truth,
)

#: The type of a property that is a note in the form.
NOTE: Final = "MARKDOWN"


class Option(EngineObject):
    """An option of a property (api.md 11.2), or one that the app gives (api.md 11.5)."""

    __slots__ = ()

    label = text("label")
    value = tree("value")

    @property
    def has_value(self) -> bool:
        """Whether it has a value, which may be null."""
        return "value" in self.raw


class Property(EngineObject):
    """A property of an action, a trigger or a connection (api.md 11.2 to 11.4)."""

    __slots__ = ()

    type = text("type")
    display_name = text("displayName")
    #: Markdown.
    description = text("description")
    required = flag("required")
    default = tree("defaultValue")
    options = parts("options.options", Option)
    #: Of a list whose entries have properties of their own: the schemas of these, by name.
    properties = mapping("properties")
    #: The names of the properties that its choices depend on, and `auth`.
    refreshers = texts("refreshers")

    @property
    def is_secret(self) -> bool:
        return self.type == "SECRET_TEXT"


class PieceOperation(EngineObject):
    """An action or a trigger of a whole piece."""

    __slots__ = ()

    display_name = text("displayName")
    #: Markdown.
    description = text("description")
    #: How a trigger learns of events.
    type = text("type")
    #: How a trigger is tested (api.md 11.2).
    test_strategy = text("testStrategy")
    props = parts_by_name("props", Property)
    #: Which ways an action has to go on after an error, and whether they are on at first.
    error_handling = mapping("errorHandlingOptions")

    @property
    def requires_auth(self) -> bool:
        """Whether it acts through a connection, if its piece has any; without a word about it, it does."""
        return self.raw.get("requireAuth") is not False


class AuthSchema(EngineObject):
    """A kind of connection that a piece takes (api.md 11.4)."""

    __slots__ = ()

    type = text("type")
    display_name = text("displayName")
    #: Markdown.
    description = text("description")
    #: The labels of BASIC_AUTH.
    username_label = text("username.displayName")
    password_label = text("password.displayName")
    #: The app's own fields.
    props = parts_by_name("props", Property)
    #: Of OAUTH2, as is all that follows.
    auth_url = text("authUrl")
    grant_type = text("grantType")
    #: `HEADER` or `BODY`.
    authorization_method = text("authorizationMethod")
    #: A list; some pieces have a text.
    scopes = texts("scope")
    scope_text = text("scope")
    prompt = text("prompt")
    #: Further parameters of the sign-in page.
    extra = texts_by_name("extra")
    pkce_method = text("pkceMethod")
    pkce = truth("pkce")


class Piece(EngineObject):
    """A piece: as the engine lists it, with numbers of actions and triggers, or whole, with these (api.md 11.1)."""

    __slots__ = ()

    #: The whole name, with its scope.
    name = text("name")
    display_name = text("displayName")
    description = text("description")
    version = text("version")
    logo_url = text("logoUrl")
    categories = texts("categories")
    #: `OFFICIAL` or `CUSTOM`.
    piece_type = text("pieceType")
    actions = parts_by_name("actions", PieceOperation)
    triggers = parts_by_name("triggers", PieceOperation)
    number_of_actions = count("actions")
    number_of_triggers = count("triggers")
    #: In the console's own catalogue: the types of the connections that it takes.
    auth_types = texts("auth")
    #: Whether it has connections at all.
    takes_auth = truth("auth")
    _auth = part_or_parts("auth", AuthSchema)

    @property
    def auths(self) -> list[AuthSchema]:
        """The schemas of its connections: none, one, or (newer pieces) several."""
        return [schema for schema in self._auth if schema.type]

    def operations(self, kind: str) -> Mapping[str, PieceOperation]:
        """Its `actions` or `triggers`, by name."""
        return self.actions if kind == "actions" else self.triggers
