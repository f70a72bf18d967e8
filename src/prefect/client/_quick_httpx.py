"""httpx without its command line, which loads rich and click and takes two thirds of the import's time."""

import sys

_is_first = "httpx" not in sys.modules
if _is_first:
    # httpx goes on without that module when it cannot be imported.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
try:
    import httpx
finally:
    if _is_first:
        del sys.modules["httpx._main"]

__all__ = ["httpx"]
