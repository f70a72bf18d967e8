"""Configuration that is stored once and loaded by name: a secret, and a block type of one's own.

Saving is done once, in a set-up script; flows load. Neither value ever stands in a log or in the code of a flow.

Run it with `python examples/blocks_and_secrets.py`.
"""

from pydantic import SecretStr

from prefect import flow
from prefect.blocks.core import Block
from prefect.blocks.system import Secret


class Warehouse(Block):
    """Where and as whom to log in."""

    host: str
    port: int = 5432
    user: str
    password: SecretStr

    def address(self) -> str:
        """A connection string without the password."""
        return f"postgresql://{self.user}@{self.host}:{self.port}"


def set_up() -> None:
    """What an operator does once."""
    Secret(value="sk-1234").save("openai-api-key", overwrite=True)
    Warehouse(host="db.internal", user="etl", password="hunter2").save("production", overwrite=True)


@flow(log_prints=True)
def use_them() -> tuple[str, str]:
    """Load both; only `get` gives the secret away."""
    key, warehouse = Secret.load("openai-api-key"), Warehouse.load("production")
    print(f"Key {key.value}, warehouse {warehouse.address()}, password {warehouse.password}")
    return key.get(), warehouse.password.get_secret_value()


if __name__ == "__main__":
    set_up()
    print([len(secret) for secret in use_them()])
