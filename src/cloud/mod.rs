//! The port `Cloud` and its one implementation over the low EC2 port.

pub mod aws;
pub mod port;
pub mod stock;

pub use port::{CloudRead, CloudWrite};
