//! Instance profiles (IAM).

use super::{Call, Tags};
use crate::model::Name;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceProfile {
    pub name: Name,
    /// Begins and ends with a slash.
    pub path: String,
    /// One at most.
    pub roles: Vec<Name>,
    pub tags: Tags,
}

/// The calls that managed profiles need (`aws §2.2`). Only whoever launches has them.
pub trait Iam: Send + Sync {
    /// `NoSuchEntity` when there is none.
    fn get_instance_profile(&self, name: Name) -> Call<'_, InstanceProfile>;
    /// CreateInstanceProfile with path and tags; roles are added by a call of their own.
    fn create_instance_profile(&self, profile: InstanceProfile) -> Call<'_, ()>;
    /// AddRoleToInstanceProfile; `NoSuchEntity` when either is missing, its message says which.
    fn add_role_to_instance_profile(&self, profile: Name, role: Name) -> Call<'_, ()>;
    /// DeleteInstanceProfile of one without a role.
    fn delete_instance_profile(&self, name: Name) -> Call<'_, ()>;
}
