"""The tree of errors: what they say, what they are, and that they survive a trip between processes."""

import pickle
import subprocess
import sys

import cloudpickle
import httpx
import pydantic
import pytest

from prefect import exceptions
from prefect.exceptions import (
    EventTooLarge,
    ObjectAlreadyExists,
    ObjectNotFound,
    ParameterBindError,
    ParameterTypeError,
    Pause,
    PausedRun,
    PrefectException,
    PrefectHTTPStatusError,
    ScriptError,
    SignatureMismatchError,
    TerminationSignal,
    exception_traceback,
)


def refused(status=404, **body) -> httpx.HTTPStatusError:
    response = httpx.Response(status, request=httpx.Request("GET", "http://host/path"), **body)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    return caught.value


def test_importing_the_errors_does_not_import_httpx():
    code = "import sys, prefect.exceptions; assert 'httpx' not in sys.modules and 'pydantic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there():
    for name in exceptions.__all__:
        assert getattr(exceptions, name) is not None
    with pytest.raises(AttributeError, match="no_such_error"):
        exceptions.no_such_error


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("InvalidNameError", ValueError),
        ("MissingProfileError", ValueError),
        ("MissingContextError", RuntimeError),
        ("ReservedArgumentError", TypeError),
        ("ParameterBindError", TypeError),
        ("SignatureMismatchError", TypeError),
    ],
)
def test_some_errors_are_built_in_ones_too(name, base):
    error = getattr(exceptions, name)
    assert issubclass(error, base)
    assert issubclass(error, PrefectException)


@pytest.mark.parametrize("name", ["Abort", "Pause", "TerminationSignal", "PrefectSignal", "ExternalSignal"])
def test_signals_pass_a_users_broad_except(name):
    assert not issubclass(getattr(exceptions, name), Exception)


@pytest.mark.parametrize(
    "error",
    [
        EventTooLarge(10, 5),
        ScriptError(ValueError("boo"), "/some/script.py"),
        ObjectNotFound(ValueError("gone"), help_message="Look elsewhere."),
        ObjectAlreadyExists(ValueError("there")),
        ParameterBindError("does not fit"),
        PausedRun("later", state="paused"),
        Pause(state="paused"),
        TerminationSignal(15),
        PrefectHTTPStatusError.from_httpx_error(refused(json={"detail": "no"})),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("library", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])
def test_an_error_survives_pickling(error, library):
    copy = library.loads(library.dumps(error))

    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.args == error.args
    assert set(vars(copy)) == set(vars(error))


def test_an_error_with_a_cause_keeps_its_attributes_when_pickled():
    copy = pickle.loads(pickle.dumps(EventTooLarge(size=10, maximum=5)))
    assert (copy.size, copy.maximum) == (10, 5)


def test_not_found_says_what_the_api_said_unless_it_is_told_what_to_say():
    assert str(ObjectNotFound(ValueError("no such flow"))) == "no such flow"
    assert str(ObjectNotFound(ValueError("no such flow"), "Create it first.")) == "Create it first."


def test_http_errors_show_the_body_of_the_answer():
    error = PrefectHTTPStatusError.from_httpx_error(refused(json={"detail": "not you"}))
    assert "404 Not Found" in str(error)
    assert "{'detail': 'not you'}" in str(error)
    assert error.response.status_code == 404
    assert isinstance(error, httpx.HTTPStatusError)


def test_http_errors_without_a_json_body_say_what_httpx_says():
    assert "Response:" not in str(PrefectHTTPStatusError.from_httpx_error(refused(text="<html>")))


def test_a_binding_error_names_the_function_and_what_it_was_given():
    def greet(name, times=1): ...

    error = ParameterBindError.from_bind_failure(greet, TypeError("missing 'name'"), (), {"times": 3})

    assert "'greet'" in str(error)
    assert "name, times=1" in str(error)
    assert "['times']" in str(error)


def test_a_validation_error_becomes_a_line_for_each_misfit():
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(dict[str, list[int]]).validate_python({"a": ["x"], "b": 3})

    lines = str(ParameterTypeError.from_validation_error(caught.value)).splitlines()

    assert lines[0] == "Flow run received invalid parameters:"
    assert lines[1].startswith(" - a.0: ")
    assert lines[2].startswith(" - b: ")


def test_a_signature_mismatch_lists_both_sides():
    error = SignatureMismatchError.from_bad_params(["a"], ["a", "b"])
    assert "['a']" in str(error) and "['a', 'b']" in str(error)


def test_a_traceback_can_be_had_as_text():
    try:
        raise ValueError("boo")
    except ValueError as error:
        text = exception_traceback(error)
    assert text.startswith("Traceback (most recent call last)")
    assert text.endswith("ValueError: boo\n")
