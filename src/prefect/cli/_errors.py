"""Says in one message what an expected error means for the user of the command line."""

import sys
from typing import Any


def describe(error: Any) -> str | None:
    """The message for an error that needs no traceback; None for one that should not have happened."""
    # Looked up among loaded modules: an error of a library that was never loaded cannot be.
    httpx = sys.modules.get("httpx")
    if httpx is not None:
        if isinstance(error, httpx.HTTPStatusError):
            return _refusal(error) if error.response.status_code == 401 else _detail(error.response)
        if isinstance(error, httpx.TransportError):
            known = str(error)  # the client says where it tried already
            return known if known.startswith("Cannot reach") else f"Cannot reach the API at {_address(error)}: {known}."
    exceptions: Any = sys.modules.get("prefect.exceptions")
    if exceptions is not None and isinstance(error, (exceptions.ObjectNotFound, exceptions.ObjectAlreadyExists)):
        cause = getattr(error, "http_exc", None)
        response = getattr(cause, "response", None)
        return _detail(response) if response is not None else str(error)
    database: Any = sys.modules.get("prefect.server.database.errors")
    if database is not None and isinstance(error, database.StorageError):
        return str(error)
    settings_files: Any = sys.modules.get("prefect.settings._files")
    if settings_files is not None and isinstance(error, settings_files.SettingsError):
        return str(error)
    pydantic_core: Any = sys.modules.get("pydantic_core")
    if pydantic_core is not None and isinstance(error, pydantic_core.ValidationError) and error.title == "Settings":
        return describe_settings(error)
    return None


def describe_settings(error: Any) -> str:
    """What is wrong with settings: for each the name, the value, and the reason."""
    # Imported here: whoever has such an error has loaded the settings.
    from prefect.settings._catalog import entries  # noqa: PLC0415

    reasons: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_context=False):
        path = ".".join(str(part) for part in problem["loc"])
        entry = next((entry for entry in entries().values() if (path + ".").startswith(entry.path + ".")), None)
        subject = f"{entry.name}={problem['input']!r} is not valid: " if entry else ""
        reasons.setdefault(subject, []).append(problem["msg"])
    return "\n".join(subject + "; or: ".join(messages) for subject, messages in reasons.items())


def _refusal(error: Any) -> str:
    return (
        f"The API at {_address(error)} does not know who asks. Set PREFECT_API_KEY to one of its keys, or "
        "PREFECT_API_AUTH_STRING to its password; what was sent was neither."
    )


def _detail(response: Any) -> str:
    """What the API says about a request that it refused."""
    try:
        body = response.json()
    except ValueError:
        body = response.text
    if isinstance(body, dict):
        problems = body.get("exception_detail")
        body = body.get("detail") or body.get("exception_message") or body
        if isinstance(body, str) and isinstance(problems, list):
            body = "\n".join([body, *map(_problem, problems)])
    return f"The API answered {response.status_code}: {body}" if not isinstance(body, str) or not body else body


def _problem(problem: Any) -> str:
    place = ".".join(str(part) for part in problem.get("loc", ()))
    return f"  {place}: {problem.get('msg')} (got {problem.get('input')!r})"


def _address(error: Any) -> str:
    try:
        return str(error.request.url)
    except RuntimeError:  # httpx: the error belongs to no request
        return "its address"
