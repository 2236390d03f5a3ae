"""Signing in for somebody: e-mail and password or one-time code become a token (api.md 2.4). Each call is sent once."""

from __future__ import annotations

from typing import Any

from workflows_ui.engine.calls import Calls, Json, odd
from workflows_ui.engine.errors import NotFound


class SignIn(Calls):
    """All raise EngineError. Wrong e-mail, password or code: `Refused` on Imbrace (400, code 40004 or 40005), `CredentialRefused` on
    Activepieces. What they answer holds secrets: it goes nowhere but into a sealed column."""

    def authenticate(self, email: str, *, password: str = "", code: str = "") -> Json:
        """`POST {gateway}/platform/v1/login/authenticate`: `{token: "login_acc_...", expired_at, organizations: [...]}`.

        With a one-time code a build may not know it here (api.md 2.4 "Password is required"): then by `_signin_with_email`, whose answer
        has no organizations.
        """
        base = self._platform()
        body = {"email": email, "otp": code} if code else {"email": email, "password": password}
        return self._token(f"{base}/login/authenticate", body)

    def sign_in_with_code(self, email: str, code: str) -> Json:
        """`POST {gateway}/platform/v1/login/_signin_with_email`: `{token: "login_acc_...", email, expired_at}`."""
        return self._token(f"{self._platform()}/login/_signin_with_email", {"email": email, "otp": code})

    def ask_for_code(self, email: str) -> None:
        """`POST {gateway}/platform/v1/login/_signin_email_request`: a code goes out by mail. Good for six hours."""
        self._transport.write("POST", f"{self._platform()}/login/_signin_email_request", {"email": email})

    def list_organizations(self) -> list[Json]:
        """`GET {gateway}/platform/v1/organizations`, with a login token or an access token: the organizations one belongs to."""
        url = f"{self._platform()}/organizations"
        found: Any = self._transport.read(url)
        rows = found.get("data") if isinstance(found, dict) else found
        if not isinstance(rows, list):
            raise odd(url, "a list of organizations", write=False)
        return [row for row in rows if isinstance(row, dict)]

    def exchange_login_token(self, organization_id: str) -> Json:
        """`POST {gateway}/platform/v1/access/_exchange_access_token`: the login token, which is spent by it, gives `{token: "acc_...",
        expired_at}`."""
        return self._token(f"{self._platform()}/access/_exchange_access_token", {"organization_id": organization_id})

    def exchange_access_token(self, organization_id: str) -> Json:
        """`POST {gateway}/platform/v1/access/_exchange_access_token_with_access_token`: another access token for the one there is."""
        url = f"{self._platform()}/access/_exchange_access_token_with_access_token"
        return self._token(url, {"organization_id": organization_id})

    def sign_in(self, email: str, password: str) -> Json:
        """`POST /v1/authentication/sign-in` of a plain Activepieces: `{token: <jwt>, projectId, ...}` (upstream; no recording)."""
        if self._bases.gateway is not None:
            raise NotFound("An Imbrace gateway signs in elsewhere.", code="NOT_ON_THIS_ENGINE", sent=False)
        return self._token(self._url("/v1/authentication/sign-in"), {"email": email, "password": password})

    def _platform(self) -> str:
        return f"{self._gateway('sign-in of Imbrace')}/platform/v1"

    def _token(self, url: str, body: Json) -> Json:
        """An answer that holds a token, as `token`, whichever of its names it came under (api.md 2.4)."""
        found: Any = self._transport.write("POST", url, body)
        answer = found if isinstance(found, dict) else {}
        named = (answer.get(name) for name in ("accessToken", "token", "access_token"))
        token = next((text for text in named if isinstance(text, str) and text.strip()), None)
        if token is None:
            raise odd(url, "a token", write=True)
        return {**answer, "token": token.strip()}
