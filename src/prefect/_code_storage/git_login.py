"""Who to be when asking for a git repository: credentials of every form, as a user name and a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from typing_extensions import TypedDict

from prefect.blocks.core import Block
from prefect.blocks.system import Secret

TOKEN_FIELDS = ("token", "access_token", "password")
"""Under which of them credentials hold their secret; the first that is there counts."""


class GitCredentials(TypedDict, total=False):
    """How to log in to a git server.

    Attributes:
        username: The user; most servers need none with a token.
        access_token: A token or password, in clear or as a saved `Secret` block. Only the latter can be deployed.
    """

    username: str
    access_token: str | Secret[str]


@dataclass(frozen=True)
class GitLogin:
    """A user name and a password for a git server.

    Attributes:
        username: The user, or a token.
        password: The password or token, or nothing.
        is_complete: Whether nobody else on this machine, as a keychain, is asked for the password.
    """

    username: str = field(repr=False)
    password: str = field(repr=False)
    is_complete: bool = True

    @property
    def secrets(self) -> list[str]:
        """What must not be shown."""
        # A token may stand in the place of the user name.
        return [self.password or self.username]


def split_login(url: str) -> tuple[str, GitLogin | None]:
    """Take the user and password out of a URL over HTTP; other URLs, as `git@host:path`, are returned as they are."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.username is None:
        return url, None
    login = GitLogin(unquote(parts.username), unquote(parts.password or ""), is_complete=bool(parts.password))
    return urlunsplit(parts._replace(netloc=_host(parts))), login


def find_login(
    url: str, credentials: Block | Mapping[str, Any] | None, of_url: GitLogin | None = None
) -> GitLogin | None:
    """What credentials mean for a URL. They are for URLs over HTTPS only.

    Args:
        url: The URL, without user and password.
        of_url: What the URL itself said; taken where there are no credentials, and its user where they name none.
        credentials: A mapping or block with `token`, `access_token` or `password`, and perhaps `username`; a `Secret`
            block that holds a token or such a mapping; or a block that writes URLs by `format_git_credentials(url)`.

    Raises:
        ValueError: They hold no token, or the server wants a user too.
    """
    parts = urlsplit(url)
    if credentials is None or parts.scheme != "https":
        return of_url
    write_url: Any = getattr(credentials, "format_git_credentials", None)
    if write_url is not None:
        return split_login(write_url(url))[1]
    fields = _fields(credentials)
    token = next((fields[name] for name in TOKEN_FIELDS if fields.get(name)), None)
    if not token:
        raise ValueError(
            f"The credentials for {url!r} hold no token. Give them a `token`, an `access_token` or a `password`."
        )
    return _login(parts, fields.get("username") or (of_url.username if of_url else None), token)


def _login(parts: SplitResult, username: str | None, token: str) -> GitLogin:
    if username:
        return GitLogin(username, token)
    if ":" in token:
        user, _, password = token.partition(":")
        return GitLogin(user, password)
    host = parts.hostname or ""
    if "bitbucketserver" in host:
        raise ValueError(
            f"The Bitbucket Server {host!r} wants a user with the token. Give the credentials a `username` too, or a "
            "token of the form 'user:token'."
        )
    if "bitbucket" in host:
        return GitLogin("x-token-auth", token)
    if "gitlab" in host:
        return GitLogin("oauth2", token)
    return GitLogin(token, "")


def _fields(credentials: Block | Mapping[str, Any]) -> dict[str, str]:
    if isinstance(credentials, Secret):
        held = credentials.get()
        source: Any = held if isinstance(held, Mapping) else {"token": held}
    elif isinstance(credentials, Mapping):
        source = credentials
    else:
        source = {name: getattr(credentials, name, None) for name in (*TOKEN_FIELDS, "username")}
    return {name: _clear(value) for name, value in source.items() if value is not None}


def _clear(value: Any) -> str:
    if isinstance(value, Secret):
        value = value.get()
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    return str(value)


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
