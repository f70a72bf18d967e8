"""What goes wrong when slots are taken or held.

Exception
├── ConcurrencySlotAcquisitionError      the slots cannot be had
│   └── ConcurrencyLeaseLostError        they were had, and could not be held
└── TimeoutError
    └── AcquireConcurrencySlotTimeoutError   they were not free in time
"""

from __future__ import annotations


class ConcurrencySlotAcquisitionError(Exception):
    """The slots cannot be had: the API refuses them, a limit is missing in strict mode, or no attempts are left."""


class ConcurrencyLeaseLostError(ConcurrencySlotAcquisitionError):
    """The lease on held slots could not be renewed, so others may have taken them."""


class AcquireConcurrencySlotTimeoutError(TimeoutError):
    """The slots did not become free in the time allowed."""
