-- Indexes for the lists, counts and charts of the user interface, at a million task runs and their events.
--
-- Each names the calls that need it. All take their rows in the order of time, at the right end of the tree, where writing
-- is cheapest. On SQLite, where finding a row costs ten times reading an entry of an index, those of all task runs hold what
-- charts of a week count; on PostgreSQL they do not, so that they do not change with every transition.

-- task_runs/filter and /paginate by expected start, task_runs/count and /history of a span of time.
-- only: sqlite
CREATE INDEX ix_task_run__expected ON task_run (expected_start_time, state_type, state_name, start_time, total_run_time);
-- end
-- only: postgresql
CREATE INDEX ix_task_run__expected ON task_run (expected_start_time DESC NULLS LAST);
-- end
-- The same filtered by start, and ui/task_runs/count and /dashboard/counts.
-- only: sqlite
-- Only with the columns of its expression does it stand for the rows: SQLite 3.40 reads them otherwise.
CREATE INDEX ix_task_run__started ON task_run
    (COALESCE(start_time, expected_start_time), start_time, expected_start_time, state_type);
-- end
-- only: postgresql
CREATE INDEX ix_task_run__started ON task_run (COALESCE(start_time, expected_start_time));
-- end
-- The background runs that wait for a task worker.
CREATE INDEX ix_task_run__waiting ON task_run (task_key, next_scheduled_start_time)
    WHERE flow_run_id IS NULL AND state_type = 'SCHEDULED';

-- events/filter, and events/count-by/time and /event, which read nothing but this.
DROP INDEX ix_event__occurred;
CREATE INDEX ix_event__occurred ON event (occurred, event);
-- events/filter by a related resource, without task runs: the events on the graph of a flow run, the activity of a
-- deployment. The events of task runs, by far the most, are not in it.
CREATE INDEX ix_event__related ON event (related_set_id, occurred) WHERE resource IS NOT NULL;
