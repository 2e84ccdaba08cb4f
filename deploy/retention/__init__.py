"""Which closed requests' keys are due to be destroyed, and having them destroyed by a plan that somebody read."""
