"""Talks to the API: clients, and the models that travel."""

from prefect._compat.migration import getattr_migration

__getattr__ = getattr_migration(__name__)
