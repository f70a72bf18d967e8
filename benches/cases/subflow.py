"""An empty nested flow."""

import sys
import time

from prefect import flow

calls = int(sys.argv[1])


@flow
def child():
    return None


@flow
def parent():
    child()
    start = time.perf_counter()
    for _ in range(calls):
        child()
    return time.perf_counter() - start


print('{"microseconds": %f}' % (min(parent() for _ in range(2)) / calls * 1e6))
