//! Pods and instance types as numbers: what is asked, what is offered and at what price.
//!
//! Pods that ask the same are one [`Ask`]. Asks that the same offerings suit are one class; what an [`Offer`] suits is
//! a mask of classes. Of all offerings of a type that suit the same classes only the cheapest is kept, and of equal
//! types too, so a whole catalogue comes to some hundred offers. A [`Slot`] is something that a node has just so many
//! of: a host port, a place for one of the pods that do not want each other.

mod build;
mod types;
mod wants;

pub use build::{Want, build};
pub use types::{Ask, Market, Offer, Slot};
pub use wants::wants;
