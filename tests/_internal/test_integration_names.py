"""Private names that published integration packages import."""

import asyncio
import logging
import os
from uuid import UUID

import pytest

from prefect._compat import dispatch
from prefect._internal.buildx import buildx_build_image, buildx_push_image
from prefect._internal.compatibility.async_dispatch import async_dispatch
from prefect._internal.concurrency.api import create_call, from_sync
from prefect._internal.launchers import get_launcher_for_side, resolve_bundle_step_with_launcher
from prefect._internal.retries import exponential_backoff_with_jitter, retry_async_fn
from prefect._internal.urls import strip_auth_from_urls_in_text
from prefect._internal.uuid7 import uuid7
from prefect.utilities.dockerutils import IMAGE_LABELS, BuildError, PushError


def test_there_is_one_dispatch():
    assert async_dispatch is dispatch.async_dispatch


def test_calls_run_on_a_background_loop():
    async def add(a, b):
        await asyncio.sleep(0)
        return a + b

    assert from_sync.call_soon_in_loop_thread(create_call(add, 1, b=2)).result() == 3


# --- retries ----------------------------------------------------------------------------------------------------------


class Flaky:
    def __init__(self, failures, error=ValueError):
        self.left = failures
        self.error = error
        self.calls = 0

    async def __call__(self, value="ok"):
        self.calls += 1
        if self.calls <= self.left:
            raise self.error("boo")
        return value


def no_delay(attempt, base_delay, max_delay):
    return 0


async def test_a_function_is_called_until_it_works():
    flaky = Flaky(2)
    assert await retry_async_fn(max_attempts=3, backoff_strategy=no_delay)(flaky)("value") == "value"
    assert flaky.calls == 3


async def test_the_last_error_is_raised():
    flaky = Flaky(5)
    with pytest.raises(ValueError, match="boo"):
        await retry_async_fn(max_attempts=3, backoff_strategy=no_delay)(flaky)()
    assert flaky.calls == 3


async def test_other_errors_are_raised_at_once():
    flaky = Flaky(5)
    with pytest.raises(ValueError, match="boo"):
        await retry_async_fn(backoff_strategy=no_delay, retry_on_exceptions=(KeyError,))(flaky)()
    assert flaky.calls == 1


async def test_attempts_are_logged_by_name(caplog):
    logging.getLogger("prefect").propagate = True
    with caplog.at_level(logging.WARNING, logger="prefect.retries"):
        await retry_async_fn(backoff_strategy=no_delay, operation_name="fetch")(Flaky(1))()
    assert "'fetch'" in caplog.text and "boo" in caplog.text


def test_at_least_one_attempt_is_made():
    with pytest.raises(ValueError, match="max_attempts=0"):
        retry_async_fn(max_attempts=0)


def test_delays_double_up_to_a_limit():
    for attempt, expected in enumerate([1, 2, 4, 8, 10, 10]):
        for _ in range(20):
            assert expected * 0.7 <= exponential_backoff_with_jitter(attempt, 1, 10) <= expected * 1.3


# --- texts and ids ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("git clone https://user:token@github.com/a/b.git", "git clone https://github.com/a/b.git"),
        ("https://token@github.com/a", "https://github.com/a"),
        ("http://a/b HTTPS://x:y@z", "http://a/b HTTPS://z"),
        ("https://u:p%40ss@h/p?q=a@b", "https://h/p?q=a@b"),
        ("git@github.com:a/b and https://h/a@b", "git@github.com:a/b and https://h/a@b"),
    ],
)
def test_credentials_are_taken_out_of_urls(text, clean):
    assert strip_auth_from_urls_in_text(text) == clean


def test_other_secrets_are_hidden_the_longest_first():
    assert strip_auth_from_urls_in_text("secret-long and secret", ["secret", "", "secret-long"]) == "*** and ***"


def test_ids_are_ordered_by_time():
    assert uuid7().version == 7
    assert uuid7(ms=1) < uuid7(ms=2)
    assert uuid7(time_func=lambda: 5).int >> 80 == 5
    ids = [uuid7() for _ in range(100)]
    assert ids == sorted(ids) and len(set(ids)) == 100
    assert isinstance(ids[0], UUID)


# --- launchers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("launcher", "upload", "execution"),
    [
        (None, None, None),
        (["python"], ["python"], ["python"]),
        ({"upload": ["up"]}, ["up"], None),
        ({"upload": ["up"], "execution": ["run", "it"]}, ["up"], ["run", "it"]),
    ],
)
def test_a_launcher_may_be_for_one_side(launcher, upload, execution):
    assert get_launcher_for_side(launcher, "upload") == upload
    assert get_launcher_for_side(launcher, "execution") == execution


def test_a_launcher_takes_the_place_of_requirements():
    step = {"my.module": {"bucket": "b", "requires": "package"}}
    resolved = resolve_bundle_step_with_launcher(step, {"upload": ["python"]}, "upload")
    assert resolved == {"my.module": {"bucket": "b", "launcher": ["python"]}}
    assert step == {"my.module": {"bucket": "b", "requires": "package"}}
    assert resolve_bundle_step_with_launcher(step, None, "upload") is step


# --- buildx -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def docker(monkeypatch, tmp_path):
    """A stand-in for the program, which notes its arguments."""

    def install(status=0):
        program = tmp_path / "bin" / "docker"
        program.parent.mkdir()
        program.write_text(
            "#!/bin/sh\n"
            f'printf "%s\\n" "$@" > "{tmp_path}/arguments"\n'
            "echo building\n"
            'while [ $# -gt 0 ]; do if [ "$1" = --iidfile ]; then echo sha256:1 > "$2"; fi; shift; done\n'
            f"exit {status}\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    return install


def arguments(tmp_path):
    return (tmp_path / "arguments").read_text().split("\n")[:-1]


def test_an_image_is_built_with_buildx(docker, tmp_path, capsys):
    import sys

    docker()
    image = buildx_build_image(
        tmp_path, tag="t", extra_tags=["u"], platform="linux/arm64", stream_progress_to=sys.stdout, buildargs={"A": "1"}
    )
    found = arguments(tmp_path)
    assert image == "sha256:1"
    assert found[:2] == ["buildx", "build"]
    assert found[-1] == str(tmp_path)
    for option in (["--tag", "t"], ["--tag", "u"], ["--platform", "linux/arm64"], ["--build-arg", "A=1"]):
        assert any(found[at : at + 2] == option for at in range(len(found)))
    assert f"io.prefect.version={IMAGE_LABELS['io.prefect.version']}" in found
    assert "--load" in found and "--push" not in found and "--pull" not in found
    assert capsys.readouterr().out == "building\n"


def test_an_image_can_be_pushed_when_it_is_built(docker, tmp_path):
    docker()
    buildx_build_image(tmp_path, push=True, pull=True)
    assert {"--push", "--pull"} < set(arguments(tmp_path))
    assert "--load" not in arguments(tmp_path)


def test_an_image_can_be_pushed_later(docker, tmp_path):
    docker()
    buildx_push_image("host/name", "tag")
    assert arguments(tmp_path) == ["push", "host/name:tag"]


def test_failures_say_what_the_program_said(docker, tmp_path):
    docker(status=1)
    with pytest.raises(BuildError, match="building"):
        buildx_build_image(tmp_path)
    with pytest.raises(PushError, match="status 1"):
        buildx_push_image("name")


def test_without_the_program_the_user_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BuildError, match="not on your PATH"):
        buildx_build_image(tmp_path)
    with pytest.raises(ValueError, match="does not exist"):
        buildx_build_image(tmp_path / "nothing")
