//! The traits.

use std::future::Future;
use std::pin::Pin;

use super::{
    CapacityReservation, CreateFleet, CreateLaunchTemplate, Filter, FleetResult, Image, Instance,
    InstanceStatus, InstanceTypeInfo, LaunchTemplate, SecurityGroup, SpotPrice, Subnet, Tags, TypeOffering,
};
use crate::model::{Name, UsdPerHour};

/// An answer on its way.
pub type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, Ec2Error>> + Send + 'a>>;

/// What a call was refused with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Ec2Error {
    /// The service's code, like `InvalidInstanceID.NotFound`; `Timeout`, `Dispatch` and the like when no answer
    /// came.
    pub code: Name,
    pub message: String,
}

impl Ec2Error {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }

    /// The codes that mean "no such thing" (`aws §11`).
    pub fn is_not_found(&self) -> bool {
        matches!(
            &*self.code,
            "InvalidCapacityReservationId.NotFound"
                | "InvalidInstanceID.NotFound"
                | "InvalidLaunchTemplateName.NotFoundException"
                | "InvalidLaunchTemplateId.NotFound"
                | "QueueDoesNotExist"
                | "AWS.SimpleQueueService.NonExistentQueue"
                | "NoSuchEntity"
                | "ParameterNotFound"
        )
    }
}

/// Calls that change nothing.
pub trait Ec2Read: Send + Sync {
    /// DescribeInstanceTypes.
    fn describe_instance_types(&self, filters: Vec<Filter>) -> Call<'_, Vec<InstanceTypeInfo>>;
    /// DescribeInstanceTypeOfferings by availability zone.
    fn describe_instance_type_offerings(&self) -> Call<'_, Vec<TypeOffering>>;
    /// DescribeSubnets.
    fn describe_subnets(&self, filters: Vec<Filter>) -> Call<'_, Vec<Subnet>>;
    /// DescribeSecurityGroups.
    fn describe_security_groups(&self, filters: Vec<Filter>) -> Call<'_, Vec<SecurityGroup>>;
    /// DescribeImages, deprecated ones included; no owners = any.
    fn describe_images(&self, owners: Vec<Name>, filters: Vec<Filter>) -> Call<'_, Vec<Image>>;
    /// SSM GetParameter: its value; `ParameterNotFound` when there is none.
    fn get_parameter(&self, name: String) -> Call<'_, String>;
    /// DescribeSpotPriceHistory of this moment, Linux.
    fn describe_spot_price_history(&self) -> Call<'_, Vec<SpotPrice>>;
    /// Pricing GetProducts: on-demand Linux prices of the region by type.
    fn on_demand_prices(&self) -> Call<'_, Vec<(Name, UsdPerHour)>>;
    /// DescribeInstances.
    fn describe_instances(&self, filters: Vec<Filter>) -> Call<'_, Vec<Instance>>;
    /// DescribeCapacityReservations by ids alone, or by filters where no ids are given. Asked only for classes that
    /// select some.
    fn describe_capacity_reservations(
        &self,
        ids: Vec<Name>,
        filters: Vec<Filter>,
    ) -> Call<'_, Vec<CapacityReservation>>;
    /// DescribeInstanceStatus.
    fn describe_instance_status(&self, filters: Vec<Filter>) -> Call<'_, Vec<InstanceStatus>>;
    /// DescribeLaunchTemplates by name; `InvalidLaunchTemplateName.NotFoundException` when there is none.
    fn describe_launch_template(&self, name: Name) -> Call<'_, LaunchTemplate>;
    /// DescribeLaunchTemplates by filters.
    fn describe_launch_templates(&self, filters: Vec<Filter>) -> Call<'_, Vec<LaunchTemplate>>;
}

/// Calls that change the account.
pub trait Ec2Write: Send + Sync {
    fn create_launch_template(&self, request: CreateLaunchTemplate) -> Call<'_, LaunchTemplate>;
    /// DeleteLaunchTemplate by name.
    fn delete_launch_template(&self, name: Name) -> Call<'_, ()>;
    /// CreateFleet of type `instant`.
    fn create_fleet(&self, request: CreateFleet) -> Call<'_, FleetResult>;
    /// TerminateInstances of one.
    fn terminate_instance(&self, instance_id: Name) -> Call<'_, ()>;
    fn create_tags(&self, resource: Name, tags: Tags) -> Call<'_, ()>;
}

/// One message of the interruption queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMessage {
    pub receipt: Name,
    /// The event's JSON text.
    pub body: String,
}

/// The interruption queue (SQS). Whoever deletes a message hides it from others: an observer has no queue.
pub trait Queue: Send + Sync {
    fn receive_messages(&self) -> Call<'_, Vec<QueueMessage>>;
    fn delete_message(&self, receipt: Name) -> Call<'_, ()>;
}

/// What EKS says of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterInfo {
    /// Absolute URL of the API server.
    pub endpoint: String,
    /// Base64 of the PEM bundle.
    pub certificate_authority: String,
    /// IPv4, else IPv6 service range.
    pub service_cidr: String,
    /// Minor like `1.34`.
    pub version: Name,
}

/// The EKS control plane. Clusters of other makers have none.
pub trait Clusters: Send + Sync {
    /// DescribeCluster; `ResourceNotFoundException` when there is none.
    fn describe_cluster(&self, name: Name) -> Call<'_, ClusterInfo>;
}
