"""Every statement, named. The same ones serve each database."""
