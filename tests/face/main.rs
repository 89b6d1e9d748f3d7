//! The faces: the dashboard in a pseudo-terminal, and stock kubectl against the loopback port.

mod dashboard;
mod kubectl;
mod terminal;
