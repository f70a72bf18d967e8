#!/usr/bin/env bash
# Runs the ETL example twice on a home of its own, then shows what was recorded.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-.venv/bin/python}
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export PREFECT_HOME="$home"
unset PREFECT_API_URL PREFECT_PROFILE || true
prefect="$(dirname "$python")/prefect"

echo "== First run: reads, summarises, loads"
"$python" examples/weather_etl.py "$home/weather.db"
echo
echo "== Second run: the same input comes from the cache (look for Cached)"
"$python" examples/weather_etl.py "$home/weather.db"
echo
echo "== What was recorded"
"$prefect" flow-run ls
"$prefect" task-run ls
"$prefect" artifact ls
