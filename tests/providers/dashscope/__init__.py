"""The DashScope adapter, mostly against the emulator."""
