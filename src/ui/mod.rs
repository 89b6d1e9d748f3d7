//! Draws a `View`; turns keys into commands and queries.
