my_flow.deploy(
    name="prod",
    work_pool_name="k8s-pool",
    image="ghcr.io/alicedev/flows:v1.2.3",
    job_variables={
        "env": {"DATABASE_URL": "{{ prefect.blocks.secret.db-url }}"},
        "image_pull_policy": "Always",
        "service_account_name": "prefect-flows",
    },
)
