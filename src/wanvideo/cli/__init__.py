"""The command line: parse, call the service, print. Heavy modules are imported inside the commands."""
