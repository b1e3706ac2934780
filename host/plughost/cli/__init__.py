"""The command line: parses what a person typed, prints what the host says, decides nothing."""
