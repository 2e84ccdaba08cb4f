"""The holiday tables of each place, what reads them, and what drafts a year of them."""
