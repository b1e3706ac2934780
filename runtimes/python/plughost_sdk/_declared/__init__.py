"""What an author declared: functions, their schemas, and how arguments reach them."""
