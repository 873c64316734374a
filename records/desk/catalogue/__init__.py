"""The pages of the catalogue at the desk: to read for all who work with it, to edit and review for the centre."""
