"""`prefect doctor`: what is wrong with a set-up, and how to mend it."""

from collections.abc import Callable, Iterator
from typing import Any

from prefect.cli import _errors, _output, _params
from prefect.cli._commands import command
from prefect.cli._doctor.configured import check_extras, check_profile, check_shadowed, check_unknown
from prefect.cli._doctor.findings import Finding
from prefect.cli._doctor.machine import check_database, check_home
from prefect.cli._doctor.packages import check_integrations
from prefect.settings import get_current_settings

_COLORS = {"error": "red", "warning": "yellow"}


@command("doctor")
@_params.output()
def doctor(as_json: bool) -> None:
    """Find out what is wrong with a set-up, and how to mend it.

    Looks at settings, the API, the database, this machine and installed packages; changes nothing. The exit code is 1 when
    something is wrong.
    """
    findings = sorted(_look(), key=lambda finding: finding.level != "error")
    if as_json:
        _output.print_json({"is_well": not findings, "findings": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            _output.echo(f"{finding.level}: {finding.what}", _COLORS[finding.level])
            _output.echo(f"    Why it matters: {finding.why}")
            _output.echo(f"    What to do: {finding.do}")
            _output.echo()
        if findings:
            _output.echo("One problem was found." if len(findings) == 1 else f"{len(findings)} problems were found.")
        else:
            _output.success("All is well with the settings, the API, the database, this machine and the packages.")
    if findings:
        raise SystemExit(1)


def _look() -> list[Finding]:
    try:
        settings = get_current_settings()
    except Exception as error:  # noqa: BLE001 - whatever the settings are, the other checks go on
        why = "No flow and hardly any command works with them."
        what = _errors.describe(error) or f"The settings cannot be read: {type(error).__name__}: {error}"
        cure = "Correct the value where it is set: environment, .env, prefect.toml, pyproject.toml or profile."
        broken = Finding("invalid-settings", "error", what, why, cure)
        return [broken, *_run(check_unknown), *_run(check_integrations)]
    found = [*_run(check_profile), *_run(check_shadowed), *_run(check_unknown), *_run(check_extras, settings)]
    found += [*_run(_check_api, settings), *_run(check_database, settings), *_run(check_home, settings)]
    return [*found, *_run(check_integrations)]


def _check_api(settings: Any) -> Iterator[Finding]:
    if not settings.api.url and settings.server.ephemeral.enabled:
        return
    from prefect.cli._doctor.reached import check_api  # noqa: PLC0415 - loads httpx

    yield from check_api(settings)


def _run(check: Callable[..., Iterator[Finding]], *arguments: Any) -> list[Finding]:
    """What a check finds. One that cannot be made is a finding itself: this command is for set-ups that are broken."""
    try:
        return list(check(*arguments))
    except Exception as error:  # noqa: BLE001 - as said
        what = f"The check {check.__name__.strip('_')} could not be made: {type(error).__name__}: {error}"
        return [
            Finding("check-failed", "error", what, "What it looks for stays unknown.", "Report it, with this text.")
        ]
