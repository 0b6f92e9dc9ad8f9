"""From a report by mail to a reproduction: what a mail says, as a recipe, and what a run makes of it."""
