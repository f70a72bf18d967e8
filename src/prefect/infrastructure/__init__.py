"""Infrastructure blocks are gone: work pools took their place. What sets up cloud infrastructure for them is here."""

from prefect._compat.moves import old_names

__getattr__ = old_names(
    __name__,
    removed={
        "DockerContainer": "the DockerWorker of prefect-docker",
        "KubernetesJob": "the KubernetesWorker of prefect-kubernetes",
        "Process": "the process worker (`prefect worker start --type process`)",
    },
)
