"""Lists, measures, incentives and discipline."""
