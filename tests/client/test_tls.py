"""TLS: the authorities that are trusted, and doing without."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.client.http_api import API

from prefect import get_client
from prefect.settings import temporary_settings


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "prefect test")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


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
