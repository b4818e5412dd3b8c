"""The way in: the home page of the relay, what all its pages share, and the demonstration's data."""
