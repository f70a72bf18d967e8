"""What a running flow or task can read about itself: `prefect.runtime.flow_run`, `.task_run`, `.deployment`.

Outside of runs every attribute gives an empty value, never an error. For tests, the environment variable
`PREFECT__RUNTIME__FLOW_RUN__<ATTRIBUTE>` (and `TASK_RUN`, `DEPLOYMENT`) replaces a value.
"""

import prefect.runtime.deployment as deployment
import prefect.runtime.flow_run as flow_run
import prefect.runtime.task_run as task_run

__all__ = ["deployment", "flow_run", "task_run"]
