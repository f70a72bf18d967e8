from prefect import flow

@flow
def scheduled_job():
    print("Running scheduled job")

# Cron schedule - every weekday at 9 AM Eastern
scheduled_job.serve(
    name="weekday-morning-job",
    cron="0 9 * * MON-FRI",
    timezone="America/New_York"
)

# Interval schedule - every 30 minutes
scheduled_job.serve(
    name="frequent-job",
    interval=1800,  # seconds, or use "PT30M" ISO format
)

# RRule for complex schedules - last Friday of each month at 5 PM
scheduled_job.serve(
    name="monthly-report",
    rrule="FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0",
    timezone="America/Los_Angeles"
)
