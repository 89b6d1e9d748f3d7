//! `Cloud` over the low EC2 port: the launch pipeline, node class resolution, instance types, prices. It comes in
//! two halves, [`reader`] and [`writer`]: where nothing may be written the second is not built.

pub mod api;
pub mod capacity;
pub mod family;
mod health;
pub mod images;
pub mod interruption;
pub mod labels;
pub mod launch;
pub mod node_class;
pub mod pricing;
pub mod profiles;
mod reader;
pub mod reservations;
#[cfg(feature = "aws")]
pub mod sdk;
mod settings;
mod tags;
#[cfg(test)]
mod testing;
pub mod types;
pub mod user_data;
mod writer;

pub use reader::{Reader, reader};
pub use settings::Settings;
pub use writer::{Writer, writer};
