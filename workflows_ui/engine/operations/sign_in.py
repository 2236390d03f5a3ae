"""Sign-in for a user: a token for an e-mail address and a password or one-time code (api.md 2.4). Each call is sent once."""

from typing import Any

from workflows_ui.engine.calls import Calls, Json, shape_error
from workflows_ui.engine.errors import NotFound


class SignIn(Calls):
    """All raise EngineError. Wrong e-mail, password or code: `Refused` on Imbrace (400, code 40004 or 40005), `CredentialRefused` on
    Activepieces. Their answers contain secrets, which are stored in sealed columns only."""

    def authenticate(self, email: str, *, password: str = "", code: str = "") -> Json:
        """`POST {gateway}/platform/v1/login/authenticate`: `{token: "login_acc_...", expired_at, organizations: [...]}`.

        A build may not accept a one-time code here (api.md 2.4 "Password is required"): use `sign_in_with_code` then, whose answer has no
        organizations.
        """
        base = self._platform()
        body = {"email": email, "otp": code} if code else {"email": email, "password": password}
        return self._token(f"{base}/login/authenticate", body)

    def sign_in_with_code(self, email: str, code: str) -> Json:
        """`POST {gateway}/platform/v1/login/_signin_with_email`: `{token: "login_acc_...", email, expired_at}`."""
        return self._token(f"{self._platform()}/login/_signin_with_email", {"email": email, "otp": code})

    def request_code(self, email: str) -> None:
        """`POST {gateway}/platform/v1/login/_signin_email_request`: sends a code by mail, valid for six hours."""
        self._transport.write(
            "POST", f"{self._platform()}/login/_signin_email_request", {"email": email}, refusals=None
        )

    def list_organizations(self) -> list[Json]:
        """`GET {gateway}/platform/v1/organizations`, with a login token or an access token: the user's organizations."""
        url = f"{self._platform()}/organizations"
        answer: Any = self._transport.read(url)
        rows = answer.get("data") if isinstance(answer, dict) else answer
        if not isinstance(rows, list):
            raise shape_error(url, "a list of organizations", write=False)
        return [row for row in rows if isinstance(row, dict)]

    def exchange_login_token(self, organization_id: str) -> Json:
        """`POST {gateway}/platform/v1/access/_exchange_access_token`: uses up the login token and returns `{token: "acc_...",
        expired_at}`."""
        return self._token(f"{self._platform()}/access/_exchange_access_token", {"organization_id": organization_id})

    def exchange_access_token(self, organization_id: str) -> Json:
        """`POST {gateway}/platform/v1/access/_exchange_access_token_with_access_token`: a new access token in exchange
        for the current one."""
        url = f"{self._platform()}/access/_exchange_access_token_with_access_token"
        return self._token(url, {"organization_id": organization_id})

    def sign_in(self, email: str, password: str) -> Json:
        """`POST /v1/authentication/sign-in` of a plain Activepieces: `{id, token: <jwt>, projectId, ...}` (recording `sign_in`).

        RateLimited after 50 calls a minute from one address (recording `sign_in_rate_limited`).
        """
        if self._bases.gateway is not None:
            raise NotFound("An Imbrace gateway signs in elsewhere.", code="NOT_ON_THIS_ENGINE", sent=False)
        return self._token(self._url("/v1/authentication/sign-in"), {"email": email, "password": password})

    def _platform(self) -> str:
        return f"{self._gateway('sign-in of Imbrace')}/platform/v1"

    def _token(self, url: str, body: Json) -> Json:
        """An answer with its token as `token`, from any of the names that builds use (api.md 2.4)."""
        decoded: Any = self._transport.write("POST", url, body, refusals=None)
        answer = decoded if isinstance(decoded, dict) else {}
        values = (answer.get(name) for name in ("accessToken", "token", "access_token"))
        token = next((text for text in values if isinstance(text, str) and text.strip()), None)
        if token is None:
            raise shape_error(url, "a token", write=True)
        return {**answer, "token": token.strip()}
