"""Why a capsule would not be taken: what was read from a board, judged before anybody resets it."""
