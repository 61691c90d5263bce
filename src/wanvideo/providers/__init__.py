"""The makers of clips: DashScope, and the local preview renderer. Both are judged by one contract suite."""
