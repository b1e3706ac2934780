"""What `plughost demo` does: real questions, three rogues, and a check of every promise."""
