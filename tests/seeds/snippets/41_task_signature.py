def task(
    fn=None,
    *,
    name: str = None,
    description: str = None,
    tags: Iterable[str] = None,
    version: str = None,
    cache_key_fn: Callable[..., str] = None,
    cache_expiration: datetime.timedelta = None,
    task_run_name: Union[str, Callable[[], str]] = None,
    retries: int = None,
    retry_delay_seconds: Union[int, float] = None,
    retry_condition_fn: Callable[..., bool] = None,
    persist_result: bool = None,
    result_storage: ResultStorage = None,
    result_serializer: ResultSerializer = None,
    cache_result_in_memory: bool = True,
    timeout_seconds: Union[int, float] = None,
    log_prints: bool = None,
    refresh_cache: bool = None,
    on_completion: List[StateHookCallable] = None,
    on_failure: List[StateHookCallable] = None,
):
    """
    Decorator to create Prefect tasks from functions.
    Parameters:
    - fn: Function to decorate (provided automatically when used as decorator)
    - name: Name for the task (defaults to function name)
    - description: Description of the task's purpose
    - tags: Tags to apply to the task and its runs
    - version: Version string for the task
    - cache_key_fn: Function to generate cache keys from task inputs
    - cache_expiration: Duration after which cached results expire
    - task_run_name: Name template for task runs
    - retries: Number of retry attempts on failure
    - retry_delay_seconds: Delay between retry attempts
    - retry_condition_fn: Function to determine if task should retry
    - persist_result: Whether to persist task results
    - result_storage: Storage backend for results
    - result_serializer: Serializer for results
    - cache_result_in_memory: Whether to cache results in memory
    - timeout_seconds: Maximum runtime for the task
    - log_prints: Whether to log print statements
    - refresh_cache: Whether to refresh cached results
    - on_completion: Hooks to run when task completes successfully
    - on_failure: Hooks to run when task fails
    Returns:
    Task object when used as decorator
    """
