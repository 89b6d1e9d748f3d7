//! Tracing layers and metrics.
