"""The constants of the planner's losses, measured on validation slices alone."""
