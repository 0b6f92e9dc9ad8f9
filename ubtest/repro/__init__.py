"""From a report by mail to a reproduction: what a mail says, and what a run makes of it."""
