//! The low port: just the AWS calls that we make, in EC2's own words and without the SDK's types. The embedded
//! EC2 implements it, and so does a thin layer over the AWS SDK.
//!
//! Answers are whole: an implementation follows the pages. User data is plain text here; the wire's base64 is the
//! implementation's business. Prices are parsed.

mod describe;
mod fleet;
mod iam;
mod ports;
pub mod rates;
pub mod shipped;
mod template;

pub use describe::{
    CapacityReservation, Filter, Gpu, Image, InferenceAccelerator, Instance, InstanceStatus, InstanceStorage,
    InstanceTypeInfo, LaunchTemplate, NetworkCard, NeuronDevice, SecurityGroup, SpotPrice, Subnet,
    TypeOffering,
};
pub use fleet::{
    CreateFleet, FleetConfig, FleetError, FleetInstance, FleetOverride, FleetResult, TagSpecification, Tags,
};
pub use iam::{Iam, InstanceProfile};
pub use ports::{Call, ClusterInfo, Clusters, Ec2Error, Ec2Read, Ec2Write, Queue, QueueMessage};
pub use template::{
    BlockDeviceMapping, CreateLaunchTemplate, Ebs, LaunchTemplateData, MetadataOptions, NetworkInterface,
};
