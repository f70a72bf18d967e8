"""How the cases time themselves: the median of some rounds, in microseconds a call."""

import json
import statistics
import time


def report(calls, round_, rounds=3):
    """Run `round_()` some times, each of `calls` calls; print the median cost of a call as JSON."""
    round_()  # everything is loaded and warm after this
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        round_()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"microseconds": statistics.median(seconds) / calls * 1e6}))
