"""Keys, certificates and signatures for the firmware under test."""
