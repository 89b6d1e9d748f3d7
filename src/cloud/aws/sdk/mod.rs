//! The low port over the AWS SDK. Its types do not leave this folder: what comes in and goes out are the words of
//! `cloud::aws::api`.
//!
//! [`connect`] finds region and credentials as every AWS tool does (environment, profile, web identity, container,
//! instance metadata), proves with one dry run that EC2 answers, and gives the ports. Calls follow all pages, have
//! time-outs, are tried again as the SDK's standard mode does, and keep below the account's request rates ([`pace`]).

mod clusters;
mod connect;
mod convert;
mod describe;
mod error;
mod fleet;
mod iam;
mod pace;
mod prices;
mod queue;
mod read;
mod template;
mod why;
mod write;

pub use connect::{ConnectSettings, Connected, Identity, connect};
pub use why::{ConnectError, why};
