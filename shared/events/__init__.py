"""Every event and command that travels between services, declared once.

Importing `shared.events.catalogue` registers all of them; a service imports the owner's module for the types.
"""
