"""The benchmark: times as ratios to a floor of the same run, because machines differ."""
