"""What happens to one call inside one plugin: its slot, its deadline, its outcome."""
