"""What both sides promise, as Python values: manifests, schemas, results, versions."""
