"""One task run for each item, side by side, and a failure that does not stop the others.

Run it with `python examples/fan_out.py`.
"""

from prefect import flow, task, unmapped
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

TEXTS = {"one": "a rose is a rose", "two": "is a rose", "three": "", "four": "by any other name"}


@task(task_run_name="count-{title}")
def count_words(title: str, texts: dict[str, str], word: str) -> tuple[str, int]:
    """How often a word is in a text; an empty text is an error."""
    words = texts[title].split()
    if not words:
        raise ValueError(f"text {title!r} is empty")
    return title, words.count(word)


@flow(task_runner=ThreadPoolTaskRunner(max_workers=4))
def count_everywhere(word: str) -> dict[str, int]:
    """Count in every text; report those that could not be counted."""
    futures = count_words.map(list(TEXTS), unmapped(TEXTS), unmapped(word))
    counts = {}
    for future in as_completed(futures):
        try:
            title, found = future.result()
        except ValueError as error:
            print(f"Left out: {error}")
        else:
            counts[title] = found
    return dict(sorted(counts.items()))


if __name__ == "__main__":
    print(count_everywhere("rose"))
