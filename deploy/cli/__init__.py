"""The command `habeas`: one typer app, one file per group of commands."""
