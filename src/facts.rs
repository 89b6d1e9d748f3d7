//! EC2 instance types and prices shipped in `assets/facts`.
