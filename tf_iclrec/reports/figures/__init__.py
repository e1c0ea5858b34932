"""What a report says in numbers: NumPy over a part of the users at a time."""
