"""Keep one plugin alive: when it starts, serves, restarts, gives up."""
