"""Django's settings: the one place where the environment is read."""
