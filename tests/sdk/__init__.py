"""How flows and tasks behave. Which module holds the tests of which section of the SDK's specification:

| section | what | tests |
|---|---|---|
| 0 | lazy names, sync and async forms | `sdk/test_package.py`, `_compat/test_dispatch.py` |
| 1, 1.1, 1.2 | defining flows, methods, `with_options` | `sdk/test_flow_definition.py` |
| 1.3 | loading flows | `_loading/test_entrypoints.py`, `_loading/test_engine.py` |
| 1.4, 1.6 | deploying, infrastructure-bound flows | with deployments and workers |
| 1.5 | drawing | `sdk/test_visualisation.py`, `utilities/test_visualization.py` |
| 2, 2.1 | parameters, run names | `sdk/test_flow_definition.py`, `utilities/test_parameter_validation.py` |
| 3 | running flows | `sdk/test_flow_runs.py` |
| 4, 5.1-5.10 | defining and running tasks | `sdk/test_tasks.py` |
| 5.11 | background tasks | `sdk/test_background_tasks.py` |
| 6 | results | `sdk/test_results.py` |
| 7 | transactions | `sdk/test_transactions.py` |
| 8, 8.1 | caching, locks | `sdk/test_caching.py`, `test_cache_policies.py`, `locking/test_lock_managers.py` |
| 9 | futures and task runners | `sdk/test_futures_and_runners.py`, `utilities/test_engine.py` |
| 10 | states | `test_states.py`, `client/schemas/test_state_models.py` |
| 11, 13 | context, runtime, tags | `sdk/test_context_and_runtime.py` |
| 12 | logging | `logging/` |
| 14 | pausing and inputs | `sdk/test_pausing.py`, `input/test_run_input.py` |
| 15, 16 | cancelling, waiting for runs | `sdk/test_cancelling.py` |
| 17 | artifacts | `test_artifacts.py` |
| 18 | variables | `test_variables.py` |
| 19 | blocks | `server/test_blocks.py` |
| 20 | file systems | `utilities/test_filesystem.py`, `sdk/test_results.py` |
| 21 | assets | `sdk/test_assets.py`, `assets/test_core.py` |
| 22 | events | `events/` |
| 23 | concurrency | `concurrency/` |
| 24 | automations, schedules | `test_automations.py`, `test_schedules.py` |
| 25 | serializers | `test_serializers.py` |
| 26 | settings in code | `settings/test_context.py` |
| 27 | exceptions | `test_exceptions.py` |
| 28 | utilities | `utilities/` |
| 29 | testing support | `testing/test_support.py`, `testing/test_cli.py` |
| 30 | environment of the engine | `_loading/test_engine.py`, `sdk/test_context_and_runtime.py` |
| 31 | order of effects | `sdk/test_order_of_effects.py` |
| 32 | surprising behaviours | `sdk/test_surprises.py` |
| 33 | what is done better | `sdk/test_better.py` |

Of section 33, these entries are not done: retry delays as lists, callables and conditions for flows (8); saying at
decoration that a timeout cannot interrupt (11); validating `*args`, which would reject what is accepted today (19); opt-in
validation of task arguments (21); namespaced keys and pruning of stored results (23); warning of results on the disk of a
container (24); hooks for crashed and cancelled tasks (28); reuse of finished tasks on resume (30); stable keys of background
tasks (36); explicit empties in `with_options` (37); ordinals of task runs (38). Entries 18, 32 and 40 are about cost, which
benches measure, and 29 needs a supervisor.
"""
