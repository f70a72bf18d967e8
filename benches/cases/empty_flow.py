"""An empty flow, inside a running process."""

import sys

from _timing import report

from prefect import flow

calls = int(sys.argv[1])


@flow
def empty():
    return None


def run():
    for _ in range(calls):
        empty()


report(calls, run)
