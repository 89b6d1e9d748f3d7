//! Draws a `View`; turns keys into commands and queries.
//!
//! [`frame::render`] is pure: a view, what the person did so far ([`app::App`]) and a size give a buffer of cells.
//! [`event_loop::run`] puts it on a terminal; [`export`] turns it into text or SVG. `keymap` is the one table of
//! keys, `lists` and `texts` are the panes, `layout` says where they go.

pub mod app;
pub mod canvas;
pub mod command_line;
pub mod digest;
pub mod event_loop;
pub mod export;
pub mod filter;
pub mod frame;
mod header;
pub mod input;
pub mod keymap;
mod layout;
mod lists;
mod overlay;
pub mod place;
pub mod terminal;
mod texts;
pub mod theme;
mod widgets;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod sample;

pub use app::App;
pub use event_loop::{Exit, Options, UiError, run};
pub use frame::render;
pub use lists::log::line as log_line;
pub use place::Screen;
