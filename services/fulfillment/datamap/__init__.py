"""The data map: what a system holds of a person, in Fideslang's words, and the way to every row of it."""
