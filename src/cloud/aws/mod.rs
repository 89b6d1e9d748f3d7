//! `Cloud` over the low EC2 port: the launch pipeline, node class resolution, instance types, prices.

pub mod api;
