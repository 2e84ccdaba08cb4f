"""One task per system and right, the receipts, and the answer's package."""
