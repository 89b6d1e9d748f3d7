//! The provider against the embedded EC2: the production path from a claim to a machine and back.

mod launch;
mod life;
mod support;
