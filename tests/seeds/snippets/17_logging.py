from prefect import flow, get_run_logger

@flow
def f():
    log = get_run_logger()
    log.info("starting", extra={"item_count": 42})
