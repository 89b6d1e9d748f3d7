//! The pieces that every screen is made of.

pub mod bar;
pub mod flow;
pub mod pane;
pub mod table;

pub use bar::{bar, spark};
pub use flow::flow;
pub use pane::{Frame, frame, inner};
pub use table::{Cell, Column, Look, table};
