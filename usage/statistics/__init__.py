"""What was used, by whom, how often, how fast and for how much: sums over any range, exactly."""
