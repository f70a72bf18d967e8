"""Which commands there are, in the order of the help text, and where they are defined."""

from importlib.util import find_spec
from typing import NamedTuple


class CommandEntry(NamedTuple):
    """A command or group of commands directly below `prefect`."""

    target: str
    """`module:attribute` of the click command. The module is imported when the command is used."""
    help: str
    """One line for the overview."""
    aliases: tuple[str, ...] = ()
    hidden: bool = False

    @property
    def exists(self) -> bool:
        """Whether the module is there."""
        return find_spec(self.target.partition(":")[0]) is not None


COMMANDS: dict[str, CommandEntry] = {
    "deploy": CommandEntry("prefect.cli.deploy:deploy", "Create and update deployments from prefect.yaml."),
    "init": CommandEntry("prefect.cli.deploy:init", "Start a project: write a prefect.yaml."),
    "deployment": CommandEntry("prefect.cli.deployment:deployment", "Work with deployments.", ("deployments",)),
    "flow": CommandEntry("prefect.cli.flow:flow", "See and serve flows.", ("flows",)),
    "flow-run": CommandEntry("prefect.cli.flow_run:flow_run", "See and control flow runs.", ("flow-runs",)),
    "task": CommandEntry("prefect.cli.task:task", "Serve background tasks."),
    "task-run": CommandEntry("prefect.cli.task_run:task_run", "See task runs.", ("task-runs",)),
    "server": CommandEntry("prefect.cli.server:server", "Start and look after a Prefect server."),
    "worker": CommandEntry("prefect.cli.worker:worker", "Start workers."),
    "work-pool": CommandEntry("prefect.cli.work_pool:work_pool", "Work with work pools.", ("work-pools",)),
    "work-queue": CommandEntry("prefect.cli.work_queue:work_queue", "Work with work queues.", ("work-queues",)),
    "variable": CommandEntry("prefect.cli.variable:variable", "Work with variables."),
    "block": CommandEntry("prefect.cli.block:block", "Work with blocks and their types.", ("blocks",)),
    "artifact": CommandEntry("prefect.cli.artifact:artifact", "See and delete artifacts."),
    "automation": CommandEntry("prefect.cli.automation:automation", "Work with automations.", ("automations",)),
    "events": CommandEntry("prefect.cli.events:events", "Watch and emit events.", ("event",)),
    "concurrency-limit": CommandEntry(
        "prefect.cli.concurrency_limit:concurrency_limit", "Limit task runs by tag.", ("concurrency-limits",)
    ),
    "global-concurrency-limit": CommandEntry(
        "prefect.cli.global_concurrency_limit:global_concurrency_limit", "Limit anything by name.", ("gcl",)
    ),
    "config": CommandEntry("prefect.cli.config:config", "See and change settings."),
    "profile": CommandEntry("prefect.cli.profile:profile", "Switch between sets of settings.", ("profiles",)),
    "api": CommandEntry("prefect.cli.api:api", "Send a request to the API."),
    "dashboard": CommandEntry("prefect.cli.dashboard:dashboard", "Open the web interface."),
    "shell": CommandEntry("prefect.cli.shell:shell", "Run shell commands as flows."),
    "sdk": CommandEntry("prefect.cli.sdk:sdk", "Generate typed clients of deployments."),
    "plugins": CommandEntry("prefect.cli.plugins:plugins", "Look into plugins."),
    "experimental": CommandEntry("prefect.cli.experimental:experimental", "Commands that may still change."),
    "transfer": CommandEntry("prefect.cli.transfer:transfer", "Copy objects from one profile's API to another's."),
    "cloud": CommandEntry("prefect.cli.cloud:cloud", "Log in to Prefect Cloud."),
    "dev": CommandEntry("prefect.cli.dev:dev", "Develop Prefect itself.", hidden=True),
    "doctor": CommandEntry("prefect.cli.doctor:doctor", "Find out what is wrong with a set-up."),
    "upgrade-check": CommandEntry("prefect.cli.upgrade_check:upgrade_check", "Find what older code must change."),
    "version": CommandEntry("prefect.cli.version:version", "Show versions of everything that matters."),
}
"""Entries whose module does not exist are not shown and cannot be called."""
