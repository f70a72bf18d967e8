"""Switches for tests."""

from typing import Any

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config


class TestingSettings(PrefectBaseSettings):
    """Switches for tests of Prefect and of code that uses it."""

    __test__ = False  # the name does not make it a test case

    model_config = build_settings_config(("testing",))

    test_mode: bool = Field(
        default=False,
        description="Behave as under test: only the packaged profiles, debug logging, errors of the CLI are raised.",
        validation_alias=also_named("test_mode", "PREFECT_TESTING_TEST_MODE", "PREFECT_TEST_MODE"),
    )
    unit_test_mode: bool = Field(
        default=False,
        description="Behave as in Prefect's own unit tests.",
        validation_alias=also_named("unit_test_mode", "PREFECT_TESTING_UNIT_TEST_MODE", "PREFECT_UNIT_TEST_MODE"),
    )
    unit_test_loop_debug: bool = Field(
        default=True,
        description="Run event loops of unit tests in asyncio's debug mode.",
        validation_alias=also_named(
            "unit_test_loop_debug", "PREFECT_TESTING_UNIT_TEST_LOOP_DEBUG", "PREFECT_UNIT_TEST_LOOP_DEBUG"
        ),
    )
    test_setting: Any | None = Field(
        default="FOO",
        description="A setting without effect, to try settings with.",
        validation_alias=also_named("test_setting", "PREFECT_TESTING_TEST_SETTING", "PREFECT_TEST_SETTING"),
    )
