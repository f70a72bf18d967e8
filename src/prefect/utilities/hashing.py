"""Hashes text, files and objects. The hashes are short names for contents, and no protection against anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from prefect.exceptions import HashError
from prefect.utilities._json_objects import prefect_json_object_encoder

__all__ = ["file_hash", "hash_objects", "stable_hash"]

_md5: Callable[..., Any] = partial(hashlib.md5, usedforsecurity=False)
_BLOCK_BYTES = 1 << 20


def stable_hash(*args: str | bytes, hash_algo: Callable[..., Any] = _md5) -> str:
    """Return the hex digest of some texts one after another, the same in every process."""
    digest = hash_algo()
    for arg in args:
        digest.update(arg.encode() if isinstance(arg, str) else arg)
    return digest.hexdigest()


def file_hash(path: str, hash_algo: Callable[..., Any] = _md5) -> str:
    """Return the hex digest of a file's contents."""
    digest = hash_algo()
    with Path(path).open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def hash_objects(
    *args: Any, hash_algo: Callable[..., Any] = _md5, raise_on_failure: bool = False, **kwargs: Any
) -> str | None:
    """Return the hex digest of some objects: of their JSON form if they have one, else of their pickle.

    Args:
        raise_on_failure: Raise instead of returning None where neither is possible.

    Raises:
        HashError: The objects have neither form; says why not.
    """
    try:
        data = _encode((args, kwargs)).encode()
    except Exception as json_error:  # noqa: BLE001 - users' objects may raise anything; the pickle is the way out
        try:
            data = _pickle((args, kwargs))
        except Exception as pickle_error:  # noqa: BLE001 - likewise
            if not raise_on_failure:
                return None
            raise HashError(
                "Unable to create hash - objects could not be serialized.\n"
                f"  JSON error: {json_error}\n"
                f"  Pickle error: {pickle_error}"
            ) from json_error
    return stable_hash(data, hash_algo=hash_algo)


def _default(obj: Any) -> Any:
    if isinstance(obj, (set, frozenset)):
        # The order of a set differs between processes.
        items = sorted(_encode(item) for item in obj)
        return {"__class__": f"builtins.{type(obj).__name__}", "data": [json.loads(item) for item in items]}
    return prefect_json_object_encoder(obj)


_encode = json.JSONEncoder(sort_keys=True, default=_default).encode


def _pickle(obj: Any) -> bytes:
    # Costs 20 ms, and most objects have a JSON form.
    import cloudpickle  # noqa: PLC0415

    return cloudpickle.dumps(obj)
