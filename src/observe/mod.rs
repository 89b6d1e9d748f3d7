//! Watches and files into rows: the deltas that make a `Snapshot`.
