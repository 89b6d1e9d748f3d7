//! What EKS knows of a cluster.

use super::error;
use crate::cloud::aws::api::{Call, ClusterInfo, Clusters, Ec2Error};
use crate::model::Name;

/// `Clusters` over the SDK.
#[derive(Debug)]
pub(super) struct Eks(pub aws_sdk_eks::Client);

impl Clusters for Eks {
    fn describe_cluster(&self, name: Name) -> Call<'_, ClusterInfo> {
        Box::pin(async move {
            let sent = self.0.describe_cluster().name(&*name).send().await;
            let cluster = sent.map_err(|e| error::of(&e))?.cluster;
            let cluster =
                cluster.ok_or_else(|| Ec2Error::new(error::BAD_ANSWER, "no cluster in the answer"))?;
            let network = cluster.kubernetes_network_config;
            let (ipv4, ipv6) = network.map_or((None, None), |n| (n.service_ipv4_cidr, n.service_ipv6_cidr));
            Ok(ClusterInfo {
                endpoint: cluster.endpoint.unwrap_or_default(),
                certificate_authority: cluster
                    .certificate_authority
                    .and_then(|c| c.data)
                    .unwrap_or_default(),
                service_cidr: ipv4.or(ipv6).unwrap_or_default(),
                version: cluster.version.unwrap_or_default().into(),
            })
        })
    }
}
