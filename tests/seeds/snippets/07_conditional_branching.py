from prefect import flow, task

@task
def check_inventory(item: str) -> int:
    return 42  # stub

@task
def restock(item: str, count: int) -> None:
    print(f"restocking {count} of {item}")

@task
def notify_overstock(item: str, count: int) -> None:
    print(f"overstock {item}={count}")

@flow
def inventory_check(item: str):
    count = check_inventory(item)
    if count < 10:
        restock(item, 10 - count)
    elif count > 100:
        notify_overstock(item, count)
    else:
        print(f"{item} ok")
