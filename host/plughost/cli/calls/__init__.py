"""From what a person typed after `plughost call` to one result."""
