"""What keeps the public interface steady: functions that are sync or async by where they are called, and deprecations."""
