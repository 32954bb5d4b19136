"""People who log in and the roster: users, roles, units, officers. People in footage are evidence's."""
