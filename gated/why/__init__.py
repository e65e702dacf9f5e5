"""The story of a vehicle at the barrier: rows put together, and told."""
