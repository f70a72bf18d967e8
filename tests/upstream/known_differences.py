"""Where our side answers differently from upstream's, and why that is meant."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple


class Known(NamedTuple):
    """A difference that is there with one of our parts, and must not be there without it."""

    of: str
    """`server`: all runs on our core; `package`: all runs with our SDK and command line; `both`: any of them."""
    place: tuple[str, ...]
    """The session, then the keys that lead to it, as far as they matter.

    `*` stands for anything in a key, a key `**` for any number of keys.
    """
    reason: str

    def concerns(self, script: str, package: str, api: str) -> bool:
        """Whether it has to be there in one run of a session."""
        ours = {"server": api != "upstream", "package": package == "ours"}
        return self.place[0] == script and (any(ours.values()) if self.of == "both" else ours[self.of])

    def covers(self, place: tuple[str, ...]) -> bool:
        """Whether a difference of its session is this one, or a part of it."""
        return _leads_to(self.place[1:], place)


def _leads_to(patterns: tuple[str, ...], place: tuple[str, ...]) -> bool:
    if not patterns:
        return True
    if patterns[0] == "**":
        return any(_leads_to(patterns[1:], place[skipped:]) for skipped in range(len(place) + 1))
    return bool(place) and fnmatchcase(place[0], patterns[0]) and _leads_to(patterns[1:], place[1:])


_MADE = "session_made_deployments"
_NO_TEXT = "upstream stores the text 'None' for a flow without a description; ours stores none"
_FROZEN = "upstream freezes nothing where the schema is not enforced, and stores a list of the value"
_ONE_PENDING = "a run is claimed by one PENDING; upstream follows it by a second one, called Submitting"
_RUNS, _OBJECTS, _YAML = "session_cli_runs", "session_cli_objects", "session_prefect_yaml"
_NO_STEPS = "an empty list of steps means no steps; upstream runs those for all if they push"
_PATTERNS = "`*` stands for anything in the name of a deployment, too"
_NOT_DEFERRED = (
    "null and false both say that a run is not deferred; upstream's server says false where a client said nothing"
)
_SAFE_TO_REPEAT = (
    "our SDK gives each run that it makes a key, so that a request may be repeated when its answer is lost"
)
_STDOUT_IS_JSON = "what the API answers goes to stdout, also when it refuses, and nothing else does: it can be piped"

KNOWN = [
    Known(
        "server",
        ("session", "pauses", "run", "run_count"),
        "upstream's server counts the first resumption of a run as a new attempt; ours does not",
    ),
    # -- deployments -------------------------------------------------------------------------------------------------
    Known(
        "package",
        (_MADE, "module", "0", "entrypoint"),
        "upstream names a script's module __main__, which no worker can import",
    ),
    Known("package", (_MADE, "plain", "0", "description"), _NO_TEXT),
    Known("package", (_MADE, "several", "1", "description"), _NO_TEXT),
    Known("package", (_MADE, "said", "0", "parameters", "x"), _FROZEN),
    Known("package", (_MADE, "said", "0", "parameter_openapi_schema", "properties", "x"), _FROZEN),
    Known(
        "package",
        ("session_deployments", "refused", "no image"),
        "the workers of a process pool are taken to be on this machine, where the code is",
    ),
    # -- runs in other processes -------------------------------------------------------------------------------------
    Known("package", ("session_serving", "serving", "**", "history"), _ONE_PENDING),
    # -- the command line --------------------------------------------------------------------------------------------
    Known("both", (_RUNS, "*", "*run *", "json", "**", "deferred"), _NOT_DEFERRED),
    Known("package", (_RUNS, "*", "flow-run *", "json", "**", "idempotency_key"), _SAFE_TO_REPEAT),
    Known(
        "package",
        (_RUNS, "flows_and_runs", "*-run *", "json", "**", "untrackable_result"),
        "our SDK knows without this mark which values cannot be traced back to the run that returned them",
    ),
    Known(
        "package",
        (_RUNS, "flows_and_runs", "flow-run ls *", "json", "*", "state", "data"),
        "upstream names the file of an exception that it has not stored",
    ),
    Known(
        "package",
        (_RUNS, "flows_and_runs", "task-run *", "json", "**", "empirical_policy", "retr*"),
        "a task without retries says nothing of them: null; upstream's SDK says 0",
    ),
    Known(
        "both",
        (_RUNS, "flows_and_runs", "task-run *", "json", "**", "task_key"),
        "the key ends with a hash of the function, and of where it is",
    ),
    Known(
        "server",
        (_RUNS, "flows_and_runs", "task-run *", "json", "**", "state", "message"),
        "an empty message of a task run's state is stored as none",
    ),
    Known(
        "package",
        (_RUNS, "flows_and_runs", "artifact ls * --all", "exit"),
        "upstream's command fails where an artifact has no key",
    ),
    Known("package", (_RUNS, "api", "api GET /flows/<id>"), _STDOUT_IS_JSON),
    Known("package", (_RUNS, "api", "api GET /nothing --verbose"), _STDOUT_IS_JSON),
    Known("package", (_RUNS, "api", 'api POST /flows/filter --data {"limit": -1}'), _STDOUT_IS_JSON),
    Known(
        "package",
        (_OBJECTS, "blocks", "block ls *", "json", "*", "data", "value"),
        "lists of blocks hide secrets, as all else does that shows blocks",
    ),
    Known(
        "package",
        (_OBJECTS, "blocks", "block *", "json", "**", "secret_fields"),
        "upstream names a secret field once for each type that it may have",
    ),
    Known(
        "server",
        (_OBJECTS, "blocks", "block *", "json", "**", "fields", "definitions"),
        "upstream forgets the definitions that no block needs",
    ),
    Known(
        "package",
        (_RUNS, "deployments", "deployment inspect * --output json", "json", "flow_name"),
        "the flow of a deployment is named, too",
    ),
    Known(
        "package",
        (_OBJECTS, "limits", "concurrency-limit create tag-MARK -1"),
        "what begins with a dash is an option, and there is none called -1",
    ),
    Known(
        "package",
        (_OBJECTS, "pools_and_queues", "work-* slots *", "json", "limit"),
        "the size of a page, which upstream's command line sets to what it has found",
    ),
    Known(
        "package",
        (_OBJECTS, "pools_and_queues", "work-queue slots *", "json", "pages"),
        "nothing fills no page; upstream's command line says 1",
    ),
    Known(
        "package",
        (_OBJECTS, "pools_and_queues", "work-pool get-default-base-job-template * --file written.json", "said"),
        "a command that writes a file says so",
    ),
    Known(
        "server", (_OBJECTS, "others", "server status *", "json", "server_version"), "each server has its own version"
    ),
    Known(
        "package",
        (_OBJECTS, "pools_and_queues", "work-pool update pool-MARK", "exit"),
        "a command that changes nothing says so",
    ),
    Known(
        "package",
        (_OBJECTS, "pools_and_queues", "work-queue ls *", "json", "*", "last_polled"),
        "looking at what waits in a queue does not make it seem served",
    ),
    Known(
        "package",
        (_OBJECTS, "pools_and_queues", "work-queue ls *", "json", "*", "status"),
        "looking at what waits in a queue does not make it seem served",
    ),
    Known(
        "package",
        (_OBJECTS, "variables", "variable *", "json", "**", "tags"),
        "a variable that gets another value keeps its tags, unless there are new ones",
    ),
    # -- prefect.yaml ------------------------------------------------------------------------------------------------
    Known(
        "package",
        (_YAML, "entries", "deploy #*", "stored", "other-MARK/other", "tags"),
        "a text for tags is one tag, not as many as it has letters",
    ),
    Known(
        "package",
        (_YAML, "projects", "**", "deployments", "0"),
        "a new file has `schedules`, as `schedule` is deprecated, and not `flow_name`, which is not read",
    ),
    Known("package", (_YAML, "selection", "deploy -n [*]o[*] *"), _PATTERNS),
    Known("package", (_YAML, "steps", "deploy #8", "stored", "etl-MARK/s7", "pull_steps"), _NO_STEPS),
    Known(
        "package",
        (_YAML, "templates", "deploy", "stored", "**", "job_variables", "env", "S"),
        "the worker fills in blocks, so that a secret is not stored in clear with the deployment",
    ),
]
