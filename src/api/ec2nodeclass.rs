//! EC2NodeClass (`karpenter.k8s.aws/v1`, `api §7`).

use serde::{Deserialize, Serialize};

/// `spec` of an EC2NodeClass.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ec2NodeClassSpec {}
