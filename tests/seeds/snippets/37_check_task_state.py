@flow
def my_flow():
    future = my_task.submit()
    if future.state.is_failed():
        raise ValueError("Critical task failed")
    return future.result()
