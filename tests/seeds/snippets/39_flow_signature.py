def flow(
    fn=None,
    *,
    name: str = None,
    description: str = None,
    version: str = None,
    flow_run_name: Union[str, Callable[[], str]] = None,
    task_runner: TaskRunner = None,
    timeout_seconds: Union[int, float] = None,
    validate_parameters: bool = True,
    retries: int = None,
    retry_delay_seconds: Union[int, float] = None,
    persist_result: bool = None,
    result_storage: ResultStorage = None,
    result_serializer: ResultSerializer = None,
    cache_result_in_memory: bool = True,
    on_completion: List[FlowStateHook] = None,
    on_failure: List[FlowStateHook] = None,
    on_cancellation: List[FlowStateHook] = None,
    on_crashed: List[FlowStateHook] = None,
    on_running: List[FlowStateHook] = None,
    log_prints: bool = None,
):
    """
    Decorator to create Prefect flows from functions.
    Parameters:
    - fn: Function to decorate (provided automatically when used as decorator)
    - name: Name for the flow (defaults to function name)
    - description: Description of the flow's purpose
    - version: Version string for the flow
    - flow_run_name: Name template for flow runs
    - task_runner: Task runner for executing tasks within the flow
    - timeout_seconds: Maximum runtime for the flow
    - validate_parameters: Whether to validate flow parameters against type hints
    - retries: Number of retry attempts on failure
    - retry_delay_seconds: Delay between retry attempts
    - persist_result: Whether to persist flow results
    - result_storage: Storage backend for results
    - result_serializer: Serializer for results
    - cache_result_in_memory: Whether to cache results in memory
    - on_completion: Hooks to run when flow completes successfully
    - on_failure: Hooks to run when flow fails
    - on_cancellation: Hooks to run when flow is cancelled
    - on_crashed: Hooks to run when flow crashes
    - on_running: Hooks to run when flow starts running
    - log_prints: Whether to log print statements
    Returns:
    Flow object when used as decorator
    """
