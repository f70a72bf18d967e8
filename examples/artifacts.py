"""Artifacts: reports, tables, links and progress that stay with the run that made them.

Run it with `python examples/artifacts.py`.
"""

from prefect import flow, task
from prefect.artifacts import (
    Artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

SALES = [{"city": "London", "sold": 40}, {"city": "Paris", "sold": 25}, {"city": "Tokyo", "sold": 60}]


@task
def report(sales: list[dict]) -> None:
    """A table, and a text about it."""
    best = max(sales, key=lambda row: row["sold"])
    create_table_artifact(key="sales", table=sales, description="Sales by city")
    create_markdown_artifact(key="sales-report", markdown=f"# Sales\n\nMost were sold in **{best['city']}**.")
    create_link_artifact(key="sales-source", link="https://example.com/sales.csv", link_text="The source")


@flow
def publish() -> None:
    """Report, and show how far it is."""
    progress = create_progress_artifact(progress=0.0, key="publishing")
    report(SALES)
    update_progress_artifact(progress, progress=100.0)


if __name__ == "__main__":
    publish()
    print(Artifact.get("sales-report").data)
    print(f"{Artifact.get('publishing').data:.0f} % done")
