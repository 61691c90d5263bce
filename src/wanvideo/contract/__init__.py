"""The contract `video.generate`: pydantic models and pure functions, no I/O."""
