"""Everything around the services: command line, embedded stack, migrations, generated schemas."""
