"""The job engine: never pay twice, never lose a paid clip. It sees its neighbours through ports only."""
