"""The rules of orchestration: pure functions of a run's state, a proposed one, and facts about the run."""
