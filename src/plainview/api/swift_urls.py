"""The addresses that a connected system asks; mounted at the server's root, where its specification has them."""

from __future__ import annotations

from django.urls import path, re_path

from plainview.api import swift

_ACCOUNT = r"^v1/(?P<account>[A-Za-z0-9_-]{1,64})"

urlpatterns = [
    path("auth/v1.0", swift.sign_in, name="swift_sign_in"),
    re_path(rf"{_ACCOUNT}/?\Z", swift.account, name="swift_account"),
    re_path(rf"{_ACCOUNT}/(?P<container>[^/]+)/?\Z", swift.container, name="swift_container"),
    # A name may hold anything; what it may not is answered as the protocol has it, and not as "not found".
    re_path(rf"{_ACCOUNT}/(?P<container>[^/]+)/(?P<name>[\s\S]+)\Z", swift.content, name="swift_object"),
]
