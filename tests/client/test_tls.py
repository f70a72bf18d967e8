"""TLS: the authorities that are trusted, and doing without."""

from __future__ import annotations

import ssl

import httpx
import pytest
from tests.certificates import write_certificate
from tests.client.http_api import API

from prefect import get_client
from prefect.settings import temporary_settings


@pytest.fixture
def certificate(tmp_path):
    return write_certificate(tmp_path / "server.pem", ["127.0.0.1"])


@pytest.fixture
def api(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with API(tls=context) as api:
        settings = {"api.url": api.url, "client.csrf_support_enabled": False, "client.max_retries": 0}
        with temporary_settings(settings):
            yield api


def read():
    with get_client(sync_client=True) as client:
        return client.read_flows()


def test_an_unknown_authority_is_not_trusted(api):
    with pytest.raises(httpx.ConnectError, match=r"Cannot reach the API at https.*CERTIFICATE_VERIFY_FAILED"):
        read()


def test_an_authority_can_be_named(api, certificate):
    with temporary_settings({"api.ssl_cert_file": str(certificate)}):
        assert read() == []


def test_the_check_can_be_switched_off(api):
    with temporary_settings({"api.tls_insecure_skip_verify": True}):
        assert read() == []
