"""The desk: what waits for officials of the units and of the centre, under /desk/."""
