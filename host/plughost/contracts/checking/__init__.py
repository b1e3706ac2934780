"""How a JSON Schema of a plugin is checked, compiled and put into words; used by `schema`."""
