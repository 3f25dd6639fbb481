"""OPC UA servers: nodes of a map become entities, status codes become qualities."""
