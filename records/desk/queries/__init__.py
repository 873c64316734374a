"""The desk's pages of queries: one person, many persons, results before a person, reviews of accesses."""
