"""The makers of clips, judged by what a user gets."""
