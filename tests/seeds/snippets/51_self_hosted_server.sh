# Self-hosted server (dev / on-prem)
prefect server start
# Bind to all interfaces and use Postgres
PREFECT_API_DATABASE_CONNECTION_URL=postgresql+asyncpg://prefect@db/prefect \
PREFECT_SERVER_API_HOST=0.0.0.0 \
prefect server start
