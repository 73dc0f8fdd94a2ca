"""One layer's bytes become one layer's index."""
