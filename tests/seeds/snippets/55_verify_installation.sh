python -m pip install prefect
python -m prefect version  # Verify installation
