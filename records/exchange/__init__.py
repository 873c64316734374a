"""Exchange upward and sideways: an ordered feed of changes, given to peers and taken from them."""
