"""URLs of accounts."""

from collections.abc import Callable
from typing import ParamSpec

from allauth.account import views as allauth_views
from allauth.mfa.base.views import ReauthenticateView
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, re_path
from django.views.decorators.cache import never_cache

from workflows_ui.accounts.views import accounts, second_step, single_sign_on
from workflows_ui.accounts.views.second_step import only_with_passkeys
from workflows_ui.web.access import signed_in

Arguments = ParamSpec("Arguments")


def _own(route: str, view: Callable[Arguments, HttpResponseBase], name: str) -> URLPattern:
    """A page of the person's own account. Not cached: it may show a secret."""
    return path(f"accounts/{route}", signed_in(never_cache(view)), name=name)


urlpatterns = [
    path("profile/", accounts.profile, name="profile"),
    path("preferences/language/", accounts.set_language, name="set_language"),
    path("preferences/theme/", accounts.set_theme, name="set_theme"),
    _own("second-step/", second_step.Overview.as_view(), "mfa_index"),
    path("accounts/second-step/enter/", never_cache(second_step.Step.as_view()), name="mfa_authenticate"),
    _own("second-step/again/", ReauthenticateView.as_view(), "mfa_reauthenticate"),
    _own("second-step/app/add/", ActivateTOTPView.as_view(), "mfa_activate_totp"),
    _own("second-step/app/remove/", second_step.RemoveApp.as_view(), "mfa_deactivate_totp"),
    _own("second-step/codes/", second_step.Codes.as_view(), "mfa_view_recovery_codes"),
    _own("second-step/codes/new/", GenerateRecoveryCodesView.as_view(), "mfa_generate_recovery_codes"),
    _own("second-step/codes/file/", second_step.CodesFile.as_view(), "mfa_download_recovery_codes"),
    _own("passkeys/", second_step.Passkeys.as_view(), "mfa_list_webauthn"),
    _own("passkeys/add/", only_with_passkeys(AddWebAuthnView.as_view()), "mfa_add_webauthn"),
    _own("passkeys/again/", only_with_passkeys(ReauthenticateWebAuthnView.as_view()), "mfa_reauthenticate_webauthn"),
    path(
        "accounts/passkeys/sign-in/",
        never_cache(only_with_passkeys(second_step.PasskeySignIn.as_view())),
        name="mfa_login_webauthn",
    ),
    _own("passkeys/<int:pk>/rename/", second_step.RenamePasskey.as_view(), "mfa_edit_webauthn"),
    _own("passkeys/<int:pk>/remove/", second_step.RemovePasskey.as_view(), "mfa_remove_webauthn"),
    path("people/<int:person_id>/second-step/", second_step.take_away, name="second_step_take_away"),
    path("accounts/sessions/", accounts.list_sessions, name="sessions"),
    path("accounts/sessions/end-others/", accounts.end_other_sessions, name="sessions_end_others"),
    path("accounts/sessions/<int:session_id>/end/", accounts.end_session, name="session_end"),
    path(single_sign_on.PATH.lstrip("/"), single_sign_on.begin, name="single_sign_on"),
    path(f"{single_sign_on.PATH.lstrip('/')}back/", single_sign_on.back, name="single_sign_on_back"),
]

#: Below /accounts/, with the names by which allauth reverses its URLs.
account_urlpatterns = [
    path("login/", accounts.SignIn.as_view(), name="account_login"),
    path("logout/", allauth_views.logout, name="account_logout"),
    path("inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("signup/", accounts.sign_up_closed, name="account_signup"),
    path("again/", signed_in(allauth_views.ReauthenticateView.as_view()), name="account_reauthenticate"),
    path("address/", signed_in(accounts.Address.as_view()), name="account_email"),
    re_path(r"^address/confirm/(?P<key>[-:\w]+)/$", allauth_views.confirm_email, name="account_confirm_email"),
    path("password/change/", signed_in(accounts.ChangePassword.as_view()), name="account_change_password"),
    path("password/set/", signed_in(accounts.SetPassword.as_view()), name="account_set_password"),
    path("password/reset/", accounts.ResetPassword.as_view(), name="account_reset_password"),
    path("password/reset/done/", allauth_views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        accounts.NewPassword.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        allauth_views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
