"""Steps of `prefect.yaml` and of deployments: what builds, pushes and fetches the code of flows."""

from prefect.deployments.steps.core import run_step
from prefect.deployments.steps.pull import (
    git_clone,
    pull_from_remote_storage,
    pull_with_block,
    set_working_directory,
)
from prefect.deployments.steps.utility import pip_install_requirements, run_shell_script

__all__ = [
    "git_clone",
    "pip_install_requirements",
    "pull_from_remote_storage",
    "pull_with_block",
    "run_shell_script",
    "run_step",
    "set_working_directory",
]
