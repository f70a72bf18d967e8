from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

@task
def generate_report(data: list[dict]) -> str:
    """Generate a markdown report artifact."""
    report = f"""
# Data Processing Report

## Summary
- Total records processed: {len(data)}
- Success rate: 100%

## Sample Data
| ID | Value | Status |
|----|-------|--------|
"""
    for item in data[:5]:
        report += f"| {item['id']} | {item['value']} | {item['status']} |\n"

    create_markdown_artifact(
        key="processing-report",
        markdown=report,
        description="Daily processing report"
    )
    return report

@task
def save_results_table(results: list[dict]):
    """Create a table artifact."""
    create_table_artifact(
        key="results-table",
        table=results,
        description="Processing results"
    )

@flow
def reporting_pipeline():
    data = [{"id": i, "value": i*10, "status": "ok"} for i in range(100)]
    generate_report(data)
    save_results_table(data[:10])
