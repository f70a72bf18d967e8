def serve(
    *flows: Flow,
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
    """
    Serve multiple flows for remote execution.
    Parameters:
    - flows: One or more flow objects to serve
    - name: Name for the served deployment
    - tags: Tags to apply to the served flows
    - parameters: Default parameters for flow runs
    - description: Description for the deployment
    - version: Version for the deployment
    - enforce_parameter_schema: Whether to validate parameters
    - pause_on_shutdown: Whether to pause on shutdown
    - print_starting_message: Whether to print startup message
    - limit: Maximum number of concurrent flow runs
    - webserver: Whether to start a webserver
    """

async def aserve(
    *flows: Flow,
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
    """
    Asynchronously serve multiple flows for remote execution.
    Same parameters as serve() but runs asynchronously.
    """
