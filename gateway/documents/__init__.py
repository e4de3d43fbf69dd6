"""Documents that clients publish, and where they and their use are kept."""
