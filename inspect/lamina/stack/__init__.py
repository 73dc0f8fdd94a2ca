"""Layers joined: paths, stacking, the union, changes, views, waste and the rows of a tree."""
