"""A Linux for the board to boot: Debian's or a user's, with an initramfs of our own."""
