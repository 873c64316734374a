"""A small fictitious world for both regions: drawn from a seed, delivered through the real pipeline."""
