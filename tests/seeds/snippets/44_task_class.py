class Task(Generic[P, R]):
    """
    Prefect task definition class.
    Attributes:
    - name: Task name
    - fn: The decorated function
    - description: Task description
    - version: Task version
    - tags: Task tags
    - cache_key_fn: Cache key generation function
    - cache_expiration: Cache expiration duration
    - retries: Number of retry attempts
    - retry_delay_seconds: Delay between retries
    - retry_condition_fn: Custom retry condition function
    - timeout_seconds: Task timeout
    - isasync: Whether the task function is async
    """
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Execute the task with given parameters."""

    def with_options(
        self,
        *,
        name: str = None,
        description: str = None,
        tags: Iterable[str] = None,
        version: str = None,
        cache_key_fn: Callable = None,
        cache_expiration: timedelta = None,
        retries: int = None,
        retry_delay_seconds: Union[int, float] = None,
        retry_condition_fn: Callable = None,
        persist_result: bool = None,
        result_storage: ResultStorage = None,
        result_serializer: ResultSerializer = None,
        cache_result_in_memory: bool = None,
        timeout_seconds: Union[int, float] = None,
        log_prints: bool = None,
        refresh_cache: bool = None,
    ) -> "Task[P, R]":
        """Create a copy of the task with modified options."""

    def map(
        self,
        *args: Any,
        **kwargs: Any,
    ) -> List[R]:
        """Execute the task over iterable inputs."""
