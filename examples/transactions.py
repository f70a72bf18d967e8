"""All or nothing: tasks in a transaction are rolled back together when one of them fails.

Run it with `python examples/transactions.py`.
"""

import tempfile
from pathlib import Path

from prefect import flow, task
from prefect.transactions import Transaction, transaction


@task
def write(path: Path, text: str) -> Path:
    """Write a file."""
    path.write_text(text)
    return path


@write.on_rollback
def unwrite(txn: Transaction) -> None:
    """Undo it; the transaction holds what the task stored there."""
    path = txn.get("path")
    path.unlink(missing_ok=True)
    print(f"Rolled back {path.name}")


@task
def check(path: Path) -> None:
    """Nothing empty is published."""
    if not path.read_text():
        raise ValueError(f"{path.name} is empty")


@flow
def publish(folder: Path, text: str) -> None:
    """Write and check as one."""
    with transaction() as txn:
        path = folder / "page.html"
        txn.set("path", path)
        write(path, text)
        check(path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        publish(folder, "<h1>Hello</h1>")
        print(f"Kept: {[path.name for path in folder.iterdir()]}")
        (folder / "page.html").unlink()
        state = publish(folder, "", return_state=True)
        print(f"{state.name}, kept: {[path.name for path in folder.iterdir()]}")
