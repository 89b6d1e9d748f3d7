//! The Kubernetes custom resources and their names as types: parsing, defaults and validation, nothing more
//! (`api.md`).

pub mod crds;
pub mod ec2nodeclass;
pub mod hash;
pub mod names;
pub mod shared;
