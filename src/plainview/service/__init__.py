"""What runs beside the code: the data directory's lock, our own PostgreSQL, the decoder jail. No Django."""
