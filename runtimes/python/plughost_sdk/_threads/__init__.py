"""Which thread does what, and what becomes of a failure in it."""
