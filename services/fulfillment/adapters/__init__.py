"""One module per kind of system; the module name is the kind."""
