"""Commands of `prefect` about things that are not runs, such as blocks and work pools. Runs with either package, on any API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from command_line import NO_ID, CommandLine, prepared
from parts import MARK, tell


def variables() -> Any:
    cli = CommandLine()
    name = f"of_the_cli_{MARK}"
    cli("variable", "set", name, '{"a": [1, null]}', "--tag", "x", "--tag", "y")
    cli("variable", "set", name, "2")
    cli("variable", "set", name, "plain text", "--overwrite")
    cli.json("variable", "inspect", name)
    cli("variable", "set", name, '{"a": [1, null]}', "--overwrite")
    cli("variable", "get", name)
    cli.json("variable", "inspect", name)
    cli("variable", "inspect", name)
    cli.json("variable", "ls", "--limit", "200")
    cli("variable", "ls", "--limit", "0")
    cli("variable", "get", f"none_{MARK}")
    cli("variable", "inspect", f"none_{MARK}")
    cli("variable", "set", "Not Allowed!", "1")
    cli("variable", "unset", name)
    cli("variable", "unset", name)
    cli("variable", "delete", f"none_{MARK}")
    cli("variable", "set")
    return cli.seen


def blocks() -> Any:
    cli = CommandLine()
    Path("blocks_of_mine.py").write_text(
        "from prefect.blocks.core import Block\nfrom pydantic import SecretStr\n\n"
        f"class Mine{MARK}(Block):\n    '''A block of mine.'''\n    word: str = 'x'\n    hidden: SecretStr = 'y'\n"
    )

    def save() -> Any:
        from prefect.blocks.system import Secret

        Secret(value="hidden").save(f"secret-{MARK}")
        return None

    prepared(save)
    cli("block", "register", "--file", "blocks_of_mine.py")
    cli("block", "register", "--file", "nothing.py")
    cli("block", "register", "--module", f"nothing_{MARK}")
    cli("block", "register")
    cli.json("block", "type", "ls")
    cli.json("block", "type", "inspect", f"mine{MARK}")
    cli.json("block", "type", "inspect", "secret")
    cli("block", "type", "inspect", f"none-{MARK}")
    found = cli.json("block", "ls")
    cli.json("block", "inspect", f"secret/secret-{MARK}")
    cli("block", "inspect", "secret")
    cli("block", "inspect", f"secret/none-{MARK}")
    cli("block", "inspect", "--id", NO_ID)
    if found:
        cli.json("block", "inspect", "--id", next(item["id"] for item in found if MARK in json.dumps(item)))
    cli("block", "create", "json")
    cli("block", "create", f"none-{MARK}")
    cli("block", "delete", f"secret/secret-{MARK}")
    cli("block", "delete", f"secret/secret-{MARK}")
    cli("block", "delete", "secret")
    cli("block", "type", "delete", f"mine{MARK}")
    cli("block", "type", "delete", f"mine{MARK}")
    cli("block", "type", "delete", "secret")
    return cli.seen


def limits() -> Any:
    cli = CommandLine()
    tag, name = f"tag-{MARK}", f"limit-{MARK}"
    cli("concurrency-limit", "create", tag, "2")
    cli("concurrency-limit", "create", tag, "3")
    cli("concurrency-limit", "create", tag, "many")
    cli("concurrency-limit", "create", tag, "-1")
    cli.json("concurrency-limit", "inspect", tag)
    cli("concurrency-limit", "inspect", tag)
    cli("concurrency-limit", "inspect", f"none-{MARK}")
    cli.json("concurrency-limit", "ls", "--limit", "200")
    cli("concurrency-limit", "reset", tag)
    cli("concurrency-limit", "reset", f"none-{MARK}")
    cli("concurrency-limit", "delete", tag)
    cli("concurrency-limit", "delete", tag)
    limits = "global-concurrency-limit"
    cli(limits, "create", name, "--limit", "5", "--slot-decay-per-second", "1.5")
    cli(limits, "create", name, "--limit", "5")
    cli(limits, "create", f"other-{MARK}")
    cli(limits, "create", f"other-{MARK}", "--limit", "-1")
    cli.json(limits, "inspect", name)
    cli(limits, "inspect", name, "--file", "limit.json")
    cli(limits, "inspect", name, "--output", "json", "--file", "limit.json")
    cli("gcl", "inspect", f"none-{MARK}")
    cli.json("gcl", "ls")
    cli("gcl", "update", name)
    cli("gcl", "update", name, "--enable", "--disable")
    cli("gcl", "update", name, "--limit", "7", "--slot-decay-per-second", "0.5")
    cli("gcl", "disable", name)
    cli("gcl", "disable", name)
    cli.json("gcl", "inspect", name)
    cli("gcl", "enable", name)
    cli("gcl", "enable", name)
    cli("gcl", "enable", f"none-{MARK}")
    cli("gcl", "update", f"none-{MARK}", "--limit", "1")
    cli("gcl", "delete", name)
    cli("gcl", "delete", name)
    return {**cli.seen, "limit.json": sorted(json.loads(Path("limit.json").read_text()))}


def pools_and_queues() -> Any:
    cli = CommandLine()
    pool, queue = f"pool-{MARK}", f"queue-{MARK}"
    cli("work-pool", "create", pool, "--type", "process")
    cli("work-pool", "create", pool, "--type", "process")
    cli("work-pool", "create", pool, "--type", "process", "--overwrite")
    cli("work-pool", "create", f"odd-{MARK}", "--type", "odd")
    cli("work-pool", "create", f"odd-{MARK}")
    cli("work-pool", "create", "", "--type", "process")
    cli("work-pool", "create", "prefect-mine", "--type", "process")
    cli("work-pool", "create", f"paused-{MARK}", "--type", "process", "--paused")
    cli.json("work-pool", "inspect", pool)
    cli("work-pool", "inspect", pool)
    cli("work-pool", "inspect", f"none-{MARK}")
    cli.json("work-pool", "ls")
    cli("work-pool", "ls", "--verbose")
    cli("work-pool", "pause", pool)
    cli("work-pool", "pause", f"none-{MARK}")
    cli("work-pool", "resume", pool)
    cli("work-pool", "resume", f"none-{MARK}")
    cli("work-pool", "set-concurrency-limit", pool, "4")
    cli("work-pool", "set-concurrency-limit", pool, "few")
    cli("work-pool", "update", pool)
    cli("work-pool", "update", pool, "--description", "mine", "--concurrency-limit", "5")
    cli.json("work-pool", "inspect", pool)
    cli("work-pool", "clear-concurrency-limit", pool)
    cli("work-pool", "clear-concurrency-limit", f"none-{MARK}")
    cli.json("work-pool", "slots", pool)
    cli("work-pool", "slots", pool)
    cli("work-pool", "slots", f"none-{MARK}")
    cli.json("work-pool", "preview", pool)
    cli("work-pool", "preview", pool)
    cli("work-pool", "preview", f"none-{MARK}")
    template = cli("work-pool", "get-default-base-job-template", "--type", "process")
    Path("template.json").write_text(template)
    cli("work-pool", "get-default-base-job-template", "--type", "odd")
    cli("work-pool", "get-default-base-job-template", "--type", "process", "--file", "written.json")
    cli("work-pool", "update", pool, "--base-job-template", "template.json")
    cli("work-pool", "storage", "inspect", pool)
    cli.json("work-pool", "storage", "inspect", pool)
    cli("work-pool", "storage", "inspect", f"none-{MARK}")
    cli("work-pool", "provision-infrastructure", pool)
    cli("work-queue", "create", queue, "--pool", pool, "--limit", "3", "--priority", "2")
    cli("work-queue", "create", queue, "--pool", pool)
    cli("work-queue", "create", queue, "--pool", f"none-{MARK}")
    cli("work-queue", "create", f"first-{MARK}", "--pool", pool, "-q", "1")
    cli.json("work-queue", "inspect", queue, "--pool", pool)
    cli("work-queue", "inspect", queue, "--pool", pool)
    cli("work-queue", "inspect", queue)
    cli("work-queue", "inspect", f"none-{MARK}", "--pool", pool)
    cli.json("work-queue", "ls", "--pool", pool, ordered=False)
    cli.json("work-queue", "ls", ordered=False)
    cli.json("work-queue", "ls", "--match", "queue-", ordered=False)
    cli("work-queue", "ls", "--pool", f"none-{MARK}")
    cli("work-queue", "pause", queue, "--pool", pool)
    cli.json("work-queue", "inspect", queue, "--pool", pool)
    cli("work-queue", "pause", f"none-{MARK}", "--pool", pool)
    cli("work-queue", "resume", queue, "--pool", pool)
    cli("work-queue", "resume", f"none-{MARK}", "--pool", pool)
    cli("work-queue", "set-concurrency-limit", queue, "1", "--pool", pool)
    cli("work-queue", "set-concurrency-limit", f"none-{MARK}", "1", "--pool", pool)
    cli("work-queue", "clear-concurrency-limit", queue, "--pool", pool)
    cli("work-queue", "clear-concurrency-limit", f"none-{MARK}", "--pool", pool)
    cli.json("work-queue", "slots", queue, "--pool", pool)
    cli("work-queue", "slots", f"none-{MARK}", "--pool", pool)
    cli.json("work-queue", "preview", queue, "--pool", pool)
    cli("work-queue", "preview", f"none-{MARK}", "--pool", pool)
    cli("work-queue", "read-runs", queue, "--pool", pool)
    cli("work-queue", "read-runs", f"none-{MARK}", "--pool", pool)
    cli("work-queue", "delete", queue, "--pool", pool)
    cli("work-queue", "delete", queue, "--pool", pool)
    cli("work-queue", "delete", "default", "--pool", pool)
    cli("work-pool", "delete", pool)
    cli("work-pool", "delete", pool)
    cli("work-pool", "delete", f"paused-{MARK}")
    cli.seen["written"] = Path("written.json").read_text().strip() == template.strip()
    return cli.seen


def automations() -> Any:
    cli = CommandLine()
    name = f"automation-{MARK}"
    wanted = {
        "name": name,
        "trigger": {
            "type": "event",
            "posture": "Reactive",
            "expect": [f"happened.{MARK}"],
            "threshold": 1,
            "within": 0,
        },
        "actions": [{"type": "do-nothing"}],
    }
    Path("one.json").write_text(json.dumps(wanted))
    Path("two.yaml").write_text(
        "automations:\n" + "".join(f"  - {json.dumps({**wanted, 'name': f'{name}-{i}'})}\n" for i in (1, 2))
    )
    cli("automation", "create", "--from-file", "one.json")
    cli("automation", "create", "--from-file", "two.yaml")
    cli("automation", "create", "--from-file", "nothing.json")
    cli("automation", "create", "--from-json", json.dumps({"name": name}))
    cli("automation", "create", "--from-json", "{")
    cli("automation", "create")
    cli("automation", "create", "--from-file", "one.json", "--from-json", "{}")
    cli("automation", "ls")
    found = cli.json("automation", "inspect", name)
    cli("automation", "inspect", name)
    cli("automation", "inspect", name, "--json")
    cli("automation", "inspect", name, "--yaml")
    cli("automation", "inspect", f"none-{MARK}")
    cli("automation", "inspect")
    cli("automation", "inspect", "--id", NO_ID)
    cli("automation", "inspect", "--id", "odd")
    if found:
        id = found[0]["id"]
        cli.json("automation", "inspect", "--id", id)
        cli("automation", "update", "--id", id, "--from-json", json.dumps({**wanted, "description": "new"}))
        cli("automation", "update", "--id", id)
        cli("automation", "update", "--id", NO_ID, "--from-json", json.dumps(wanted))
        cli.json("automation", "inspect", "--id", id)
    cli("automation", "pause", name)
    cli.json("automation", "inspect", name)
    cli("automation", "resume", name)
    cli("automation", "disable", f"{name}-1")
    cli("automation", "enable", f"{name}-1")
    cli("automation", "pause", f"none-{MARK}")
    cli("automation", "resume", f"none-{MARK}")
    cli("automation", "pause", "--id", NO_ID)
    cli("automation", "delete", name)
    cli("automation", "delete", name)
    cli("automation", "delete", "--id", NO_ID)
    cli("automation", "delete", name, "--all")
    cli("automation", "delete")
    for i in (1, 2):
        cli("automation", "delete", f"{name}-{i}")
    return cli.seen


def others() -> Any:
    cli = CommandLine()
    cli("version")
    cli("--version")
    cli()
    cli("--help")
    cli("deployment")
    cli("deployment", "--help")
    cli("odd")
    cli("flow-run", "odd")
    cli("flow-run", "ls", "--odd")
    cli.json("server", "status")
    cli("dashboard", "open", "extra")
    cli("work-queues", "ls", "--output", "odd")
    return cli.seen


PARTS = [variables, blocks, limits, pools_and_queues, automations, others]

if __name__ == "__main__":
    tell(PARTS)
