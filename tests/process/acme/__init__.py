"""An integration of somebody else's, with a flow of two steps and a trial."""
