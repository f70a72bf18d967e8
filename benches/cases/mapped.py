"""A mapped task on the thread pool: the whole flow, with everything recorded when it returns."""

import sys

from _timing import report

from prefect import flow, task

calls = int(sys.argv[1])


@task
def double(x):
    return 2 * x


@flow
def mapped():
    return sum(double.map(list(range(calls))).result())


report(calls, mapped, rounds=2)
