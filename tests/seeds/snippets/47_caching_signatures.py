def task_input_hash(*args, **kwargs) -> str:
    """
    Generate a cache key from task inputs.
    Creates a hash of the task inputs for use as a cache key. This function
    can be used as the cache_key_fn parameter in task decorators.
    Parameters:
    - args: Positional arguments to hash
    - kwargs: Keyword arguments to hash
    Returns:
    String hash of the inputs
    """

def exponential_backoff(backoff_factor: float = 2.0) -> Iterator[float]:
    """
    Generate exponential backoff delays.
    Yields increasingly longer delays for retry attempts, useful for
    handling rate limits and temporary failures.
    Parameters:
    - backoff_factor: Multiplier for each successive delay
    Yields:
    Float delay values in seconds
    """
