"""An ETL flow over four years of real weather: extract, mapped transforms, load into a database.

The data is the daily weather of Seattle, 2012 to 2015, as NOAA measured it; the package `vega-datasets` brings the file.
Run it twice: the second run takes the parsed file and the yearly summaries from the cache.

    python examples/weather_etl.py [DATABASE]
"""

import csv
import sqlite3
import sys
from collections import Counter
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import INPUTS, TASK_SOURCE

_data = find_spec("vega_datasets")  # found, not imported: that would take a second
if _data is None or _data.origin is None:
    raise SystemExit("This example reads a file of the package vega-datasets. Install it: pip install vega-datasets")
SOURCE = Path(_data.origin).with_name("_data") / "seattle-weather.csv"


@task(retries=3, retry_delay_seconds=[1, 2, 4], cache_policy=INPUTS + TASK_SOURCE, cache_expiration=timedelta(days=1))
def extract(path: str) -> dict[int, list[dict[str, str]]]:
    """Read the file; the rows of each year by themselves."""
    years: dict[int, list[dict[str, str]]] = {}
    with Path(path).open(newline="") as source:
        for row in csv.DictReader(source):
            years.setdefault(int(row["date"][:4]), []).append(row)
    return years


@task(cache_policy=INPUTS + TASK_SOURCE, task_run_name="summarise-{year}")
def summarise(year: int, days: list[dict[str, str]]) -> list[dict[str, object]]:
    """One row a month: temperatures, rain, and the weather of most days."""
    months: dict[str, list[dict[str, str]]] = {}
    for day in days:
        months.setdefault(day["date"][:7].replace("/", "-"), []).append(day)
    return [
        {
            "month": month,
            "days": len(rows),
            "warmest_c": max(float(row["temp_max"]) for row in rows),
            "coldest_c": min(float(row["temp_min"]) for row in rows),
            "rain_mm": round(sum(float(row["precipitation"]) for row in rows), 1),
            "mostly": Counter(row["weather"] for row in rows).most_common(1)[0][0],
        }
        for month, rows in sorted(months.items())
    ]


@task(retries=2, retry_delay_seconds=1)
def load(rows: list[dict[str, object]], database: str) -> int:
    """Replace the months in the database; all of them or none."""
    with sqlite3.connect(database) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS weather_by_month (month TEXT PRIMARY KEY, days INTEGER, warmest_c REAL, "
            "coldest_c REAL, rain_mm REAL, mostly TEXT)"
        )
        connection.executemany(
            "INSERT OR REPLACE INTO weather_by_month VALUES (:month, :days, :warmest_c, :coldest_c, :rain_mm, :mostly)",
            rows,
        )
    return len(rows)


@flow(name="weather-etl", log_prints=True)
def weather_etl(path: str = str(SOURCE), database: str = "weather.db") -> int:
    """Extract, summarise each year at the same time, load, and report."""
    logger = get_run_logger()
    years = extract(path)
    logger.info("Read %d days of %d years", sum(map(len, years.values())), len(years))
    summaries = summarise.map(list(years), list(years.values())).result()
    rows = [row for summary in summaries for row in summary]
    loaded = load(rows, database)
    wettest = sorted(rows, key=lambda row: row["rain_mm"], reverse=True)[:10]
    create_table_artifact(
        key="wettest-months", table=wettest, description="The ten wettest months in Seattle, 2012-2015"
    )
    print(f"Loaded {loaded} months into {database}; the wettest was {wettest[0]['month']}")
    return loaded


if __name__ == "__main__":
    weather_etl(database=sys.argv[1] if len(sys.argv) > 1 else "weather.db")
