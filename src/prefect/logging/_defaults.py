"""The logging configuration that applies where the user has written none, as data."""

from __future__ import annotations

from typing import Any

from prefect.logging._patterns import STYLES
from prefect.settings import Settings

_TIME = "%(asctime)s.%(msecs)03d"
_CLOCK = "%H:%M:%S"


def default_config(settings: Settings) -> dict[str, Any]:
    """The built-in configuration, in the form of `logging.config.dictConfig`, with the levels of `settings`.

    `logging.yml` beside this module says the same for people to copy.
    """
    level = settings.logging.level
    server_level = settings.server.logging_level
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "simple": {"format": f"{_TIME} | %(message)s", "datefmt": _CLOCK},
            "standard": {
                "()": "prefect.logging.formatters.PrefectFormatter",
                "format": f"{_TIME} | %(levelname)-7s | %(name)s - %(message)s",
                "flow_run_fmt": f"{_TIME} | %(levelname)-7s | Flow run %(flow_run_name)r - %(message)s",
                "task_run_fmt": f"{_TIME} | %(levelname)-7s | Task run %(task_run_name)r - %(message)s",
                "datefmt": _CLOCK,
            },
            "debug": {
                "format": f"{_TIME} | %(levelname)-7s | %(threadName)-12s | %(name)s - %(message)s",
                "datefmt": _CLOCK,
            },
            "json": {"class": "prefect.logging.formatters.JsonFormatter", "format": "default"},
        },
        "handlers": {
            "console": {
                "level": 0,
                "class": "prefect.logging.handlers.PrefectConsoleHandler",
                "formatter": "standard",
                "stream": "ext://sys.stderr",
                "styles": dict(STYLES),
            },
            "api": {"level": 0, "class": "prefect.logging.handlers.APILogHandler"},
            "debug": {"level": 0, "class": "logging.StreamHandler", "formatter": "debug", "stream": "ext://sys.stderr"},
            "worker_api": {"level": 0, "class": "prefect.logging.handlers.WorkerAPILogHandler"},
        },
        "loggers": {
            "prefect": {"level": level},
            "prefect.extra": {"level": level, "handlers": ["api"], "propagate": False},
            "prefect.flow_runs": {"level": "NOTSET", "handlers": ["api"]},
            "prefect.task_runs": {"level": "NOTSET", "handlers": ["api"]},
            "prefect.workers": {"level": "NOTSET", "handlers": ["worker_api"]},
            "prefect.server": {"level": server_level},
            "prefect.client": {"level": level},
            "prefect.infrastructure": {"level": level},
            "prefect._internal": {"level": settings.internal.logging_level, "propagate": False, "handlers": ["debug"]},
            "uvicorn": {"level": server_level, "handlers": ["console"], "propagate": False},
            "fastapi": {"level": server_level, "handlers": ["console"], "propagate": False},
        },
        "root": {"level": "WARNING", "handlers": ["console"]},
    }
