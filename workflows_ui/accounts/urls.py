"""URLs of accounts."""

from allauth.account import views as allauth_views
from django.urls import path, re_path
from django.views.decorators.cache import never_cache

from workflows_ui.accounts.views import (
    accounts,
    preferences,
    second_step,
    second_step_removal,
    sessions,
    single_sign_on,
)
from workflows_ui.web.access import signed_in

urlpatterns = [
    path("profile/", accounts.profile, name="profile"),
    path("preferences/language/", preferences.set_language, name="set_language"),
    path("preferences/theme/", preferences.set_theme, name="set_theme"),
    path(second_step.STEP, second_step.own_account(second_step.Overview.as_view()), name="mfa_index"),
    path(f"{second_step.STEP}enter/", never_cache(second_step.Step.as_view()), name="mfa_authenticate"),
    path(
        f"{second_step.STEP}again/", second_step.own_account(second_step.CodeAgain.as_view()), name="mfa_reauthenticate"
    ),
    path(
        f"{second_step.STEP}app/add/", second_step.own_account(second_step.AddApp.as_view()), name="mfa_activate_totp"
    ),
    path(
        f"{second_step.STEP}app/remove/",
        second_step.own_account(second_step.RemoveApp.as_view()),
        name="mfa_deactivate_totp",
    ),
    path(
        f"{second_step.STEP}codes/",
        second_step.own_account(second_step.Codes.as_view()),
        name="mfa_view_recovery_codes",
    ),
    path(
        f"{second_step.STEP}codes/new/",
        second_step.own_account(second_step.NewCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
    path(
        f"{second_step.STEP}codes/file/",
        second_step.own_account(second_step.CodesFile.as_view()),
        name="mfa_download_recovery_codes",
    ),
    path(second_step.KEY, second_step.own_account(second_step.Passkeys.as_view()), name="mfa_list_webauthn"),
    path(
        f"{second_step.KEY}add/",
        second_step.own_account(second_step.only_with_passkeys(second_step.AddPasskey.as_view())),
        name="mfa_add_webauthn",
    ),
    path(
        f"{second_step.KEY}again/",
        second_step.own_account(second_step.only_with_passkeys(second_step.PasskeyAgain.as_view())),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        f"{second_step.KEY}sign-in/",
        never_cache(second_step.only_with_passkeys(second_step.PasskeySignIn.as_view())),
        name="mfa_login_webauthn",
    ),
    path(
        f"{second_step.KEY}<int:pk>/rename/",
        second_step.own_account(second_step.RenamePasskey.as_view()),
        name="mfa_edit_webauthn",
    ),
    path(
        f"{second_step.KEY}<int:pk>/remove/",
        second_step.own_account(second_step.RemovePasskey.as_view()),
        name="mfa_remove_webauthn",
    ),
    path("people/<int:person_id>/second-step/", second_step_removal.take_away, name="second_step_take_away"),
    path("accounts/sessions/", sessions.listing, name="sessions"),
    path("accounts/sessions/end-others/", sessions.end_others, name="sessions_end_others"),
    path("accounts/sessions/<int:session_id>/end/", sessions.end, name="session_end"),
    path(single_sign_on.PATH.lstrip("/"), single_sign_on.begin, name="single_sign_on"),
    path(f"{single_sign_on.PATH.lstrip('/')}back/", single_sign_on.back, name="single_sign_on_back"),
]

#: Below /accounts/, with the names by which allauth reverses its URLs.
account_urlpatterns = [
    path("login/", accounts.SignIn.as_view(), name="account_login"),
    path("logout/", allauth_views.logout, name="account_logout"),
    path("inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("signup/", accounts.sign_up_closed, name="account_signup"),
    path("again/", signed_in(accounts.Again.as_view()), name="account_reauthenticate"),
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
