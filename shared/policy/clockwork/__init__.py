"""How periods run: their forms, what happens to them, their ends, and every day of them explained."""
