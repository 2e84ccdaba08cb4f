"""`habeas demo`: the main job, end to end, on real servers, and the proof that it was done."""
