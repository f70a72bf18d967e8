class Flow(Generic[P, R]):
    """
    Prefect workflow definition class.
    Attributes:
    - name: Flow name
    - fn: The decorated function
    - description: Flow description
    - version: Flow version
    - flow_run_name: Template for flow run names
    - task_runner: Task runner for executing tasks
    - timeout_seconds: Flow timeout
    - validate_parameters: Whether to validate parameters
    - retries: Number of retry attempts
    - retry_delay_seconds: Delay between retries
    - isasync: Whether the flow function is async
    """
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Execute the flow with given parameters."""

    def with_options(
        self,
        *,
        name: str = None,
        description: str = None,
        version: str = None,
        flow_run_name: Union[str, Callable] = None,
        retries: int = None,
        retry_delay_seconds: Union[int, float] = None,
        timeout_seconds: Union[int, float] = None,
        validate_parameters: bool = None,
        persist_result: bool = None,
        result_storage: ResultStorage = None,
        result_serializer: ResultSerializer = None,
        cache_result_in_memory: bool = None,
        log_prints: bool = None,
    ) -> "Flow[P, R]":
        """Create a copy of the flow with modified options."""

    def serve(
        self,
        name: str = None,
        tags: List[str] = None,
        parameters: Dict[str, Any] = None,
        description: str = None,
        version: str = None,
        enforce_parameter_schema: bool = None,
        pause_on_shutdown: bool = True,
        print_starting_message: bool = True,
        limit: int = None,
        webserver: bool = False,
        **kwargs
    ) -> None:
        """Serve the flow for remote execution."""
