//! `kerf run`: the autoscaler on a real cluster and account. `connect` and `account` find them, `checks` says what is
//! missing there, `stage` stands the engine between them, `serve` answers Prometheus and the kubelet, `guarded` keeps
//! AWS shut for whoever does not lead.

mod account;
mod args;
mod checks;
mod connect;
mod go;
mod guarded;
pub mod rights;
mod serve;
mod stage;
#[cfg(test)]
mod tests;

pub use args::Run;
pub use go::run;
