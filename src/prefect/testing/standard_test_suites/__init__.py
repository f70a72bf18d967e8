"""What every block or worker of an integration package is held to, as classes to inherit tests from."""

from prefect.testing.standard_test_suites.blocks import BlockStandardTestSuite

__all__ = ["BlockStandardTestSuite"]
