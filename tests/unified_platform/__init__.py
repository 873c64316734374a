"""A unified identity platform for tests: a process of its own, its settings read without those of the platform."""
