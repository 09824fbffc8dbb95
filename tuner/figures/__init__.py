"""Figures of plain data. Each module draws what the module of the same name in `findings` found."""
