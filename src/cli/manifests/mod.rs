//! `kerf manifests`: what a cluster and an account need, printed. One file a subject, each a pure function from
//! [`Options`] to documents; `args` checks what the command line says, `print` writes the documents down.

mod args;
mod crds;
mod deployment;
mod iam;
mod interruption;
mod print;
mod rbac;

pub use args::{Format, Identity, Manifests, Options, What};
pub use deployment::deployment;
pub use iam::{policy, template as iam_template};
pub use interruption::{calls, template as interruption_template};
pub use print::run;
pub use rbac::rbac;

#[cfg(test)]
mod tests;
