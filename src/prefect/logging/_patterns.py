"""What stands out on the console: patterns, and the default style of what each of their groups matches."""

from __future__ import annotations

LEVELS = [rf"(?P<{level.lower()}_level>\b{level}\b(?=\s*\|))" for level in ("INFO", "WARNING", "ERROR", "CRITICAL")]
"""A level's name where the console line has it."""

URLS = [
    r"(?P<web_url>https?://(?!(?:localhost|127\.0\.0\.1|0\.0\.0\.0)\b)[^\s'\"<>|]+)",
    r"(?P<local_url>https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)\b[^\s'\"<>|]*)",
]

NAMES = [
    r"\b[Ff]low run (?P<flow_run_name>'[^'\n]*')",
    r"\bflow (?!run\b)(?P<flow_name>'[^'\n]*')",
]

STATES = [
    rf"(?P<{name.lower()}_state>\b{name}\b(?=\())" for name in ("Completed", "Cancelled", "Failed", "Crashed", "Cached")
]
"""A state as it is printed: its name, and a parenthesis."""

STYLES = {
    "log.web_url": "bright_blue",
    "log.local_url": "bright_blue",
    "log.info_level": "cyan",
    "log.warning_level": "yellow3",
    "log.error_level": "red3",
    "log.critical_level": "bright_red",
    "log.completed_state": "green",
    "log.cancelled_state": "yellow3",
    "log.failed_state": "red3",
    "log.crashed_state": "bright_red",
    "log.cached_state": "bright_blue",
    "log.flow_run_name": "magenta",
    "log.flow_name": "bold magenta",
}
