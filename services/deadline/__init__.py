"""The clocks of a request: warn, extend, call late, close and certify."""
