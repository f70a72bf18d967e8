"""A task called in a loop: the whole flow, with everything recorded when it returns."""

import sys

from _timing import report

from prefect import flow, task

calls = int(sys.argv[1])


@task
def double(x):
    return 2 * x


@flow
def loop():
    total = 0
    for i in range(calls):
        total += double(i)
    return total


report(calls, loop)
