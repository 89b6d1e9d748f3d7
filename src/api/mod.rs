//! The Kubernetes custom resources and their names as types: parsing, defaults and validation, nothing more
//! (`api.md`).

pub mod capacitybuffer;
pub mod crds;
pub mod ec2nodeclass;
pub mod hash;
pub mod legacy;
pub mod names;
pub mod nodeclaim;
pub mod nodeoverlay;
pub mod nodepool;
pub mod schema;
pub mod shared;
pub mod validate;
pub mod validate_overlay;

#[cfg(test)]
mod agreement_tests;
