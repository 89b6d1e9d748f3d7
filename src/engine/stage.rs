//! What a demo lets a person do to its world. A real cluster has none of it.

use crate::gate::command::WorldEvent;

/// An embedded world that takes orders.
pub trait Stage {
    /// Lets it happen now.
    ///
    /// # Errors
    /// Why it cannot happen, for the person who asked.
    fn play(&self, event: &WorldEvent) -> Result<(), String>;
}
