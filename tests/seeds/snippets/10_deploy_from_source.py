# Python API — concise, lives next to the flow code
from prefect import flow

@flow
def my_flow(): ...

if __name__ == "__main__":
    my_flow.from_source(
        source="https://github.com/alicedev/repo.git",
        entrypoint="flows/my_flow.py:my_flow",
    ).deploy(
        name="prod",
        work_pool_name="k8s-pool",
        image="ghcr.io/alicedev/flows:latest",
    )
