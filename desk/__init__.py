"""The command line and the supervisor: everything the owner starts."""
