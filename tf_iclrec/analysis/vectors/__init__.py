"""How the vectors of users lie: together by what these users have, and on a map."""
