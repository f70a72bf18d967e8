from prefect.client.schemas.schedules import CronSchedule
from user_sync import user_sync

if __name__ == "__main__":
    user_sync.deploy(
        name="hourly-sync",
        work_pool_name="default-process-pool",
        parameters={"source": "https://api.example.com/users",
                    "table": "users"},
        schedules=[CronSchedule(cron="0 * * * *", timezone="UTC")],
        tags=["etl", "alice-team"],
    )
