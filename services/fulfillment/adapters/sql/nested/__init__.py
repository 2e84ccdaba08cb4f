"""Columns of JSON: what differs between databases stands here, a file for each."""
