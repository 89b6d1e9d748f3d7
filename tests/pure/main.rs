//! Pure tests that need files: no world, no terminal.

mod parity;
