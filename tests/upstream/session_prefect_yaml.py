"""`prefect deploy` and `prefect init` with many project files, and what is stored of them. Runs with either package, on any API."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from command_line import CommandLine, prepared
from parts import MARK, tell

POOL = f"pool-{MARK}"
FLOWS = f'''
from prefect import flow

@flow(name="etl-{MARK}")
def my_etl(x: int = 1, name: str = "a"):
    """Move data."""

@flow(name="other-{MARK}", version="v3", description="Another.")
def other(at: dict | None = None): ...
'''
STEPS = """
def make(a, **more):
    print("made", a, sorted(more.items()))
    return {"word": a, "image": f"registry/{a}:1", "more": {"list": [1, 2]}}

async def amake(**inputs):
    return {"got": ", ".join(f"{name}={value}" for name, value in sorted(inputs.items()))}

def fails():
    raise ValueError("It fails.")

def gives_nothing():
    return 5
"""
ETL, OTHER = f"etl-{MARK}", f"other-{MARK}"
KEPT = (
    "version", "description", "paused", "tags", "parameters", "entrypoint", "pull_steps", "enforce_parameter_schema",
    "work_pool_name", "work_queue_name", "job_variables", "concurrency_options",
)  # fmt: skip


def get(path: str) -> Any:
    # Over HTTP, because this process only forks, and must start no threads.
    try:
        with urllib.request.urlopen(os.environ["PREFECT_API_URL"] + path, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code


def stored(flow: str, name: str) -> Any:
    """What the API has of a deployment, and of the automations that belong to it."""
    found = get(f"/deployments/name/{urllib.parse.quote(flow)}/{urllib.parse.quote(name)}")
    if not isinstance(found, dict):
        return found
    kept = {key: found[key] for key in KEPT if found[key] not in (None, [], {})}
    # A version that is the digest of a file.
    kept["version"] = re.sub(r"^[0-9a-f]{32}$", "<digest>", kept.get("version") or "")
    for each in found["schedules"]:
        # The default is the moment at which it was made.
        each["schedule"].pop("anchor_date", None)
    keys = ("schedule", "active", "parameters", "slug")
    kept["schedules"] = sorted(({key: each[key] for key in keys} for each in found["schedules"]), key=json.dumps)
    kept["limit"] = found["global_concurrency_limit"] and found["global_concurrency_limit"]["limit"]
    automations = get(f"/automations/related-to/prefect.deployment.{found['id']}")
    kept["automations"] = [
        {
            "what": {key: each[key] for key in ("name", "description", "enabled")},
            "trigger": without_ids(each["trigger"]),
            "run": {key: each["actions"][0].get(key) for key in ("parameters", "job_variables", "schedule_after")},
        }
        for each in sorted(automations if isinstance(automations, list) else [], key=lambda each: each["name"])
    ]
    return json.loads(json.dumps(kept).replace(str(Path.cwd()), "FOLDER"))


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_ids(each) for key, each in value.items() if key != "id"}
    return [without_ids(each) for each in value] if isinstance(value, list) else value


class Project(CommandLine):
    """A folder of its own, in which deployments are made."""

    def __init__(self, name: str, yaml: str | None = None) -> None:
        super().__init__()
        self._folder = Path(name)
        self._folder.mkdir()
        (self._folder / "flows.py").write_text(FLOWS)
        (self._folder / "my_steps.py").write_text(STEPS)
        if yaml is not None:
            self.write(yaml)

    def write(self, yaml: str, name: str = "prefect.yaml") -> None:
        (self._folder / name).write_text(yaml)

    def __call__(self, *words: Any, stdin: str = "") -> str:
        home = Path.cwd()
        os.chdir(self._folder)
        sys.path.insert(0, str(Path.cwd()))
        try:
            return super().__call__(*words, stdin=stdin)
        finally:
            sys.path.pop(0)
            os.chdir(home)

    def deploys(self, *deployments: tuple[str, str], options: str = "") -> None:
        """Deploy, and keep what is stored of some deployments then."""
        words = [word.replace("~", " ") for word in options.split()]
        self("deploy", *words)
        home = Path.cwd()
        os.chdir(self._folder)
        self.seen[next(reversed(self.seen))] |= {
            "stored": {f"{flow}/{name}": stored(flow, name) for flow, name in deployments}
        }
        os.chdir(home)


def entry(name: str, more: str = "", flow: str = "my_etl", pool: str = f"{{name: {POOL}}}") -> str:
    lines = [f"- name: {name}", f"  entrypoint: flows.py:{flow}", f"  work_pool: {pool}"]
    return "\n".join([*lines, *(f"  {line}" for line in more.splitlines())]) + "\n"


# -- the parts ---------------------------------------------------------------------------------------------------------


def prepare() -> Any:
    def make() -> Any:
        from prefect import get_client
        from prefect.blocks.system import Secret
        from prefect.client.schemas.actions import WorkPoolCreate
        from prefect.variables import Variable
        from prefect.workers.process import ProcessWorker

        template = ProcessWorker.get_default_base_job_template()
        with get_client(sync_client=True) as client:
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=template))
        Secret(value="hidden").save(f"secret-{MARK}")
        Variable.set(f"word_{MARK}", "of a variable")
        Variable.set(f"cron_{MARK}", "5 5 * * *")
        return None

    prepared(make)
    return {}


def entries() -> Any:
    """What stands in an entry is stored."""
    full = entry(
        "full",
        """tags: [a, b]
version: v1
description: Mine.
paused: true
enforce_parameter_schema: false
parameters: {x: 5, name: yes, y: n, e: 12e34, o: 010}
concurrency_limit: {limit: 2, collision_strategy: CANCEL_NEW, grace_period_seconds: 120}
schedules:
- <<: *nine
  slug: nine
- {interval: 600, active: false, slug: often, parameters: {x: 2}}
- {interval: PT1H, timezone: Europe/Berlin, slug: hourly}
- {rrule: FREQ=DAILY, slug: daily}
- {rrule: '{"rrule": "FREQ=WEEKLY", "timezone": "Asia/Tokyo"}', slug: weekly}
odd: 1
flow_name: strange""",
        pool=f'{{name: {POOL}, work_queue_name: q, job_variables: {{env: {{A: "1"}}}}}}',
    )
    one = Project("entries", f"definitions:\n  s: &nine {{cron: 0 9 * * *, timezone: UTC}}\ndeployments:\n{full}")
    one.deploys((ETL, "full"))
    one.write("deployments:\n" + entry("full", "concurrency_limit: 3"))
    one.deploys((ETL, "full"))
    one.write("deployments:\n" + entry("full", "schedules: []"))
    one.deploys((ETL, "full"))
    one.write("deployments:\n" + entry("full", "schedule: {cron: 0 6 * * *, timezone: UTC}"))
    one.deploys((ETL, "full"))
    one.write(
        "deployments:\n" + entry("full", "schedule: {}\ntags: []\nparameters: {}\nversion: null\ndescription: null")
    )
    one.deploys((ETL, "full"))
    for more in ("schedules:\n- {cron: 0 9 * * *}", "schedules: []\ntags: word"):
        one.write("deployments:\n" + entry("other", more, flow="other"))
        one.deploys((OTHER, "other"))
    one.write("deployments:\n" + entry("both", "schedule: {cron: 0 6 * * *}\nschedules:\n- {interval: 50}"))
    one.deploys((ETL, "both"))
    for more in (
        "schedules:\n- {cron: 0 6 * * *, interval: 4}",
        "schedules:\n- {cron: odd}",
        "concurrency_limit: many",
        "parameters: {x: no number}",
        "entrypoint: flows.py:nothing",
    ):
        one.write("deployments:\n" + entry("bad", more))
        one.deploys((ETL, "bad"))
    return one.seen


def options() -> Any:
    """What the command line says is laid over the entry."""
    one = Project(
        "options",
        "deployments:\n" + entry("o", "tags: [a]\nversion: v1\nparameters: {x: 3}\nschedules:\n- {cron: 0 9 * * *}"),
    )
    o = (ETL, "o")
    one.deploys(
        o, options='-t z -t y --version v9 -d mine --param x=7 --param name=bob -q mine -jv a=1 -jv {"env":{"B":"2"}}'
    )
    one.deploys(
        o, options="--cron 1~1~*~*~* --interval 60 --timezone Europe/Berlin -cl 4 --collision-strategy CANCEL_NEW"
    )
    one.deploys(o, options="--rrule FREQ=DAILY --anchor-date 2024-01-01 --interval 60")
    one.deploys(o, options='--rrule {"rrule":"FREQ=DAILY","timezone":"Asia/Tokyo"} --no-enforce-parameter-schema')
    one.deploys(o, options='--params {"x":2,"name":"q"}')
    for bad in ("--param x=1 --params {}", "--params [1]", "--param x", "-jv nope", "-cl x", "-cl 0", "--interval 60 --timezone Mars",
                "--all -n o", f"-p none-{MARK}", "--trigger {bad", "--odd"):  # fmt: skip
        one("deploy", *bad.split())
    return one.seen


def selection() -> Any:
    """Names choose entries."""
    two = "deployments:\n" + entry("one") + entry("two", "tags: [t2]", flow="other")
    one = Project("selection", two)
    both = ((ETL, "one"), (OTHER, "two"))
    one.deploys(options="")
    one.deploys(*both, options="-n two -t of-options")
    one.deploys(*both, options="-n my-etl/* -t of-a-pattern")
    one.deploys(*both, options="-n one -n two -t ignored")
    one.deploys(*both, options="--all -t ignored")
    one.deploys(options="-n none")
    one.deploys((OTHER, "none"), options=f"flows.py:other -n none -p {POOL}")
    one.deploys(*both, options="-n *o* -t of-every-name")
    one.deploys((ETL, "two"), options="flows.py:my_etl -n two")
    one.write("deployments:\n" + entry("one") + entry("one", flow="other"))
    one.deploys((ETL, "one"), (OTHER, "one"), options="-n one")
    one.write("deployments:\n" + entry("one") + "- entrypoint: flows.py:other\n")
    one.deploys((ETL, "one"), options="--all")
    one.write("deployments:\n" + entry("only"))
    one.deploys((ETL, "by-another-name"), options="-n by-another-name")
    one.write("deployments:\n" + entry("one", flow="nothing") + entry("after", flow="other"))
    one.deploys((OTHER, "after"), options="--all")
    return one.seen


def files() -> Any:
    """Without a project file, or with one that is not valid, options are enough."""
    one = Project("files")
    for text in (None, "", "a: [\n", "deployments: {a: 1}\n"):
        if text is not None:
            one.write(text)
        one.deploys((ETL, "from-options"), options=f"flows.py:my_etl -n from-options -p {POOL}")
    one.deploys(options=f"flows.py:my_etl -p {POOL}")
    one.deploys(options="flows.py:my_etl -n a")
    one.deploys(options=f"-n a -p {POOL}")
    one.write("deployments:\n" + entry("elsewhere"), name="my.yaml")
    one.deploys((ETL, "elsewhere"), options="--prefect-file my.yaml")
    return one.seen


def templates() -> Any:
    """Placeholders are filled from blocks, variables, the environment and steps."""
    os.environ["OF_ENV"] = "of env"
    text = f"""
build:
- my_steps.make: {{id: m, a: "{{{{ $OF_ENV }}}}"}}
push:
- my_steps.amake:
    w: "{{{{ word }}}}"
    l: "{{{{ m.more.list }}}}"
    v: "{{{{ prefect.variables.word_{MARK} }}}}"
    s: "{{{{ prefect.blocks.secret.secret-{MARK} }}}}"
pull:
- prefect.deployments.steps.set_working_directory: {{directory: "/opt/{{{{ word }}}}"}}
- my.pull:
    id: p
    b: "{{{{ prefect.blocks.secret.secret-{MARK} }}}}"
    v: "{{{{ prefect.variables.word_{MARK} }}}}"
    e: "{{{{ $OF_ENV }}}}"
    u: "{{{{ unknown }}}}"
    g: "{{{{ got }}}}"
deployments:
""" + entry(
        "t-{{ $OF_ENV }}",
        f"""version: "{{{{ m.word }}}}"
description: "of {{{{ image }}}} and {{{{ $OF_ENV }}}} and {{{{ unknown }}}} and {{{{ $UNKNOWN }}}}"
tags: ["{{{{ $OF_ENV }}}}", "{{{{ prefect.variables.word_{MARK} }}}}", "{{{{ unknown }}}}", "{{{{ OF_ENV }}}}"]
parameters: {{x: 3, name: "{{{{ word }}}} {{{{ ctx.flow_run.id }}}} {{{{ prefect.blocks.secret.secret-{MARK} }}}}"}}
schedules:
- {{cron: 0 1 * * *, slug: "{{{{ word }}}}"}}
- {{cron: "{{{{ prefect.variables.cron_{MARK} }}}}"}}""",
        pool=f'{{name: {POOL}, job_variables: {{env: {{I: "{{{{ image }}}}", E: "{{{{ $OF_ENV }}}}", N: "{{{{ no }}}}",'
        f' V: "{{{{ prefect.variables.word_{MARK} }}}}", S: "{{{{ prefect.blocks.secret.secret-{MARK} }}}}"}}}}}}',
    ).replace("- name: t-{{ $OF_ENV }}", '- name: "t-{{ $OF_ENV }}"')
    one = Project("templates", text)
    one.deploys((ETL, "t-of env"))
    return one.seen


def steps() -> Any:
    """Steps of an entry stand in the place of those of the file."""
    top = (
        "build:\n- my_steps.make: {a: global}\npush:\n- my_steps.amake: {b: global}\n"
        "pull:\n- global.pull: {word: '{{ word }}', got: '{{ got }}'}\ndeployments:\n"
    )
    one = Project("steps")
    for number, more in enumerate(
        (
            "",
            "build: {my_steps.make: {a: own}}",
            "build: null",
            "build: []\npush: null",
            "build:\n- my_steps.gives_nothing: {}\npull:\n- own.pull: {word: '{{ word }}'}",
            "pull: {a.single: {step: 1}}",
            "pull: []",
            "push: []",
        )
    ):
        one.write(top + entry(f"s{number}", more))
        one.deploys((ETL, f"s{number}"))
    for number, text in enumerate(("build:\n- my_steps.fails: {}\n", "build:\n- my_steps.make: {a: 1}\n  my_steps.fails: {}\n",
                                   "build:\n- my_steps.unknown: {}\n", "pull: null\n")):  # fmt: skip
        one.write(text + "deployments:\n" + entry(f"f{number}"))
        one.deploys((ETL, f"f{number}"))
    one.write("deployments:\n" + entry("image", pool=f"{{name: {POOL}, job_variables: {{image: 'a/b:c'}}}}"))
    one.deploys((ETL, "image"))
    one.write("deployments:\n" + entry("module").replace("flows.py:my_etl", "flows.my_etl"))
    one.deploys((ETL, "module"))
    return one.seen


def triggers() -> Any:
    """Triggers become automations."""
    text = "build:\n- my_steps.make: {a: made}\ndeployments:\n" + entry(
        "tr",
        """triggers:
- type: event
  enabled: false
  match: {prefect.resource.id: a.b}
  expect: [x.y]
  parameters: {x: 3, name: "{{ event.id }} {{ word }}"}
- type: compound
  name: both
  description: "of {{ word }}"
  require: all
  within: 60
  triggers:
  - {type: event, expect: [a]}
  - {type: event, expect: [b], posture: Proactive, within: 10}
  job_variables: {image: "{{ word }}"}
  schedule_after: 30""",
    )
    one = Project("triggers", text)
    tr = (ETL, "tr")
    one.deploys(tr)
    one.deploys(tr, options='--trigger {"expect":["of.options"]}')
    one.write("triggers:\n- {expect: [one.of.yaml]}\n- {expect: [two.of.yaml], name: named}\n", name="t.yaml")
    one.write('{"triggers": [{"expect": ["of.json"]}]}', name="t.json")
    one.deploys(tr, options="--trigger t.yaml --trigger t.json")
    one.write("deployments:\n" + entry("tr", "triggers: null"))
    one.deploys(tr)
    return one.seen


def projects() -> Any:
    """`prefect init` writes a project file by a recipe."""
    seen = {}
    for recipe, fields in {
        "local": {},
        "docker": {"image_name": "registry/i", "tag": "t"},
        "git": {"repository": "https://example.com/r.git", "branch": "b"},
        "s3": {"bucket": "b"},
    }.items():
        one = Project(f"project-{recipe}")
        words = [word for key, value in fields.items() for word in ("--field", f"{key}={value}")]
        one("init", "--recipe", recipe, "--name", "mine", *words)
        seen[recipe] = {**one.seen, "files": sorted(each.name for each in Path(f"project-{recipe}").iterdir())}
        seen[recipe]["yaml"] = read_yaml(Path(f"project-{recipe}", "prefect.yaml"))
    one = Project("project")
    one("deploy", "init")
    one("init")
    one("init", "--recipe", "odd")
    one("init", "--field", "odd")
    one("init", "--recipe", "s3")
    return {**seen, **one.seen, "inferred": read_yaml(Path("project", "prefect.yaml"))}


def read_yaml(path: Path) -> Any:
    from ruamel.yaml import YAML

    content = YAML(typ="safe", pure=True).load(path.read_text().replace(str(Path.cwd()), "FOLDER"))
    content.pop("prefect-version")
    return content


PARTS = [prepare, entries, options, selection, files, templates, steps, triggers, projects]

if __name__ == "__main__":
    tell(PARTS)
