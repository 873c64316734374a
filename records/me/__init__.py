"""What a citizen sees of the own file."""
