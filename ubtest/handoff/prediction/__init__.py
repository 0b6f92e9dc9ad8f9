"""What a device tree lets the kernel pass through, told without a board: facts in, verdict out."""
