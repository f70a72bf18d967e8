prefect cloud login
