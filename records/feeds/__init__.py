"""One pipeline for every door: read, map, check in bulk, resolve subjects by set, COPY, upsert, count."""
