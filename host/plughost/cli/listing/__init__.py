"""What `plughost plugins` and `plughost tools` show, of which records, in what form."""
