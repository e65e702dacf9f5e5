"""`make bench-tariffs`: what a price costs, by the length of the stay and the number of rules."""
