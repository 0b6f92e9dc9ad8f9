"""The boot probe of images/probe: built here, told what to do, and its line of facts read."""
