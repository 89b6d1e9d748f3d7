//! The static hashes of NodePool templates and EC2NodeClasses, bit for bit those of Karpenter, so that taking a
//! cluster over replaces no node (`api §12`).

use super::ec2nodeclass::{BlockDevice, Ec2NodeClassSpec, Kubelet};
use super::nodepool::NodeClaimTemplate;
use super::shared::{DurationText, Taint};

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| {
        h.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*b)
    })
}

fn text(t: &str) -> u64 {
    fnv(t.as_bytes())
}

fn ordered(a: u64, b: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&a.to_le_bytes());
    bytes[8..].copy_from_slice(&b.to_le_bytes());
    fnv(&bytes)
}

fn finish(a: u64) -> u64 {
    fnv(&a.to_le_bytes())
}

fn list(elements: impl IntoIterator<Item = u64>) -> u64 {
    elements.into_iter().fold(0, |h, e| h ^ e)
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a String, &'a String)>) -> u64 {
    finish(list(entries.into_iter().map(|(k, v)| ordered(text(k), text(v)))))
}

/// Hash of a struct: fields are added in declaration order, zero ones left out by the caller (`None`).
struct Struct(u64, bool);

impl Struct {
    fn new(name: &str) -> Self {
        Self(text(name), true)
    }

    fn field(mut self, name: &str, value: Option<u64>) -> Self {
        if let Some(value) = value {
            self.0 = finish(self.0 ^ ordered(text(name), value));
            self.1 = false;
        }
        self
    }

    fn string(self, name: &str, value: Option<&str>) -> Self {
        self.field(name, value.map(text))
    }

    fn end(self) -> u64 {
        self.0
    }

    /// `None` when every field is zero, for a struct that is held by value.
    fn unless_zero(self) -> Option<u64> {
        (!self.1).then_some(self.0)
    }
}

fn boolean(b: bool) -> u64 {
    fnv(&[u8::from(b)])
}

fn int64(n: i64) -> u64 {
    fnv(&n.to_le_bytes())
}

fn int32(n: i32) -> u64 {
    fnv(&n.to_le_bytes())
}

fn filled(t: &str) -> Option<&str> {
    (!t.is_empty()).then_some(t)
}

/// Nanoseconds; `None` for `Never` and for text that is no duration.
fn nanos(d: &DurationText) -> Option<i64> {
    i64::try_from(d.get()?.as_nanos()).ok()
}

/// The hash of a NodePool's `spec.template`, version `v3`: a decimal number as text. An absent `expireAfter`
/// counts as its default, 720h.
pub fn nodepool(template: &NodeClaimTemplate) -> String {
    let meta = template.metadata.clone().unwrap_or_default();
    let spec = &template.spec;
    let reference = Struct::new("NodeClassReference")
        .string("Kind", filled(&spec.node_class_ref.kind))
        .string("Name", filled(&spec.node_class_ref.name))
        .string("Group", filled(&spec.node_class_ref.group))
        .end();
    let grace = spec
        .termination_grace_period
        .as_ref()
        .map(|d| duration(nanos(d).unwrap_or(0)));
    let expire = match &spec.expire_after {
        Some(text) => nanos(text),
        None => nanos(&"720h".into()),
    };
    let expire = expire.map(|n| {
        Struct::new("NillableDuration")
            .field("Duration", Some(int64(n)))
            .end()
    });
    let metadata = Struct::new("ObjectMeta")
        .field("Labels", (!meta.labels.is_empty()).then(|| map(&meta.labels)))
        .field(
            "Annotations",
            (!meta.annotations.is_empty()).then(|| map(&meta.annotations)),
        )
        .unless_zero();
    let spec = Struct::new("NodeClaimTemplateSpec")
        .field("Taints", taints(&spec.taints))
        .field("StartupTaints", taints(&spec.startup_taints))
        .field("NodeClassRef", Some(reference))
        .field("TerminationGracePeriod", grace)
        .field("ExpireAfter", expire)
        .unless_zero();
    Struct::new("NodeClaimTemplate")
        .field("ObjectMeta", metadata)
        .field("Spec", spec)
        .end()
        .to_string()
}

fn duration(nanos: i64) -> u64 {
    Struct::new("Duration")
        .field("Duration", (nanos != 0).then(|| int64(nanos)))
        .end()
}

fn taints(taints: &[Taint]) -> Option<u64> {
    (!taints.is_empty()).then(|| {
        list(taints.iter().map(|t| {
            Struct::new("Taint")
                .string("Key", filled(&t.key))
                .string("Value", t.value.as_deref().and_then(filled))
                .string("Effect", filled(&t.effect))
                .end()
        }))
    })
}

/// The hash of an EC2NodeClass, version `v6`.
pub fn ec2nodeclass_v6(spec: &Ec2NodeClassSpec, ca_bundle: &str) -> String {
    let kubelet = match &spec.kubelet {
        Some(k) if !k.0.is_empty() => serde_json::to_string(&k.0).unwrap_or_default(),
        _ => "null".to_owned(),
    };
    list([
        class_spec(spec, None),
        text(spec.family()),
        text(ca_bundle),
        text(&kubelet),
    ])
    .to_string()
}

/// The hash of an EC2NodeClass as Karpenter 1.12 to 1.14 computes it, version `v5`.
pub fn ec2nodeclass_v5(spec: &Ec2NodeClassSpec, ca_bundle: &str) -> String {
    let kubelet = spec.kubelet.as_ref().map(kubelet_v5);
    list([class_spec(spec, kubelet), text(spec.family()), text(ca_bundle)]).to_string()
}

fn class_spec(spec: &Ec2NodeClassSpec, kubelet: Option<u64>) -> u64 {
    let placement = spec.placement_group_selector.as_ref().map(|p| {
        Struct::new("PlacementGroupSelector")
            .string("Name", p.name.as_deref().and_then(filled))
            .string("ID", p.id.as_deref().and_then(filled))
            .end()
    });
    let metadata = Some(&spec.metadata()).map(|m| {
        Struct::new("MetadataOptions")
            .string("HTTPEndpoint", m.http_endpoint.as_deref())
            .string("HTTPProtocolIPv6", m.http_protocol_ipv6.as_deref())
            .field(
                "HTTPPutResponseHopLimit",
                m.http_put_response_hop_limit.map(int64),
            )
            .string("HTTPTokens", m.http_tokens.as_deref())
            .end()
    });
    let tracking = spec.connection_tracking.as_ref().map(|c| {
        Struct::new("ConnectionTracking")
            .field("TCPEstablishedTimeout", c.tcp_established_timeout.map(int32))
            .field("UDPStreamTimeout", c.udp_stream_timeout.map(int32))
            .field("UDPTimeout", c.udp_timeout.map(int32))
            .end()
    });
    let interfaces = (!spec.network_interfaces.is_empty()).then(|| {
        list(spec.network_interfaces.iter().map(|n| {
            let index = |n: i32| (n != 0).then(|| int32(n));
            Struct::new("NetworkInterface")
                .field("NetworkCardIndex", index(n.network_card_index))
                .field("DeviceIndex", index(n.device_index))
                .string("InterfaceType", filled(&n.interface_type))
                .end()
        }))
    });
    let devices = (!spec.block_device_mappings.is_empty()).then(|| {
        list(spec.block_device_mappings.iter().map(|d| {
            Struct::new("BlockDeviceMapping")
                .string("DeviceName", d.device_name.as_deref())
                .field("EBS", d.ebs.as_ref().map(block_device))
                .field("RootVolume", d.root_volume.filter(|root| *root).map(boolean))
                .end()
        }))
    });
    let cpu = spec.cpu_options.as_ref().map(|c| {
        Struct::new("CPUOptions")
            .string("NestedVirtualization", c.nested_virtualization.as_deref())
            .end()
    });
    Struct::new("EC2NodeClassSpec")
        .field("PlacementGroupSelector", placement)
        .field(
            "AssociatePublicIPAddress",
            spec.associate_public_ip_address.map(boolean),
        )
        .string("UserData", spec.user_data.as_deref())
        .string("Role", spec.role.as_deref().and_then(filled))
        .string("InstanceProfile", spec.instance_profile.as_deref())
        .field("Tags", (!spec.tags.is_empty()).then(|| map(&spec.tags)))
        .field("Kubelet", kubelet)
        .field("BlockDeviceMappings", devices)
        .string("InstanceStorePolicy", spec.instance_store_policy.as_deref())
        .field("NetworkInterfaces", interfaces)
        .field("DetailedMonitoring", spec.detailed_monitoring.map(boolean))
        .field("MetadataOptions", metadata)
        .field("ConnectionTracking", tracking)
        .string("Context", spec.context.as_deref())
        .field("CPUOptions", cpu)
        .end()
}

fn block_device(d: &BlockDevice) -> u64 {
    Struct::new("BlockDevice")
        .field("DeleteOnTermination", d.delete_on_termination.map(boolean))
        .field("Encrypted", d.encrypted.map(boolean))
        .field("IOPS", d.iops.map(int64))
        .string("KMSKeyID", d.kms_key_id.as_deref())
        .string("SnapshotID", d.snapshot_id.as_deref())
        .field("Throughput", d.throughput.map(int64))
        .field(
            "VolumeInitializationRate",
            d.volume_initialization_rate.map(int32),
        )
        .string(
            "VolumeSize",
            d.volume_size.as_ref().map(super::shared::Quantity::as_str),
        )
        .string("VolumeType", d.volume_type.as_deref())
        .end()
}

fn kubelet_v5(k: &Kubelet) -> u64 {
    let number = |key: &str| k.number(key).and_then(|n| i32::try_from(n).ok()).map(int32);
    let texts = |key: &str| {
        let entries = k.map(key);
        (!entries.is_empty()).then(|| map(&entries))
    };
    let periods = k.map("evictionSoftGracePeriod");
    let periods = (!periods.is_empty()).then(|| {
        finish(list(periods.iter().map(|(key, value)| {
            let value = nanos(&DurationText(value.clone())).unwrap_or(0);
            ordered(text(key), duration(value))
        })))
    });
    let dns = k.cluster_dns();
    Struct::new("KubeletConfiguration")
        .field(
            "ClusterDNS",
            (!dns.is_empty()).then(|| list(dns.iter().map(|d| text(d)))),
        )
        .field("MaxPods", number("maxPods"))
        .field("PodsPerCore", number("podsPerCore"))
        .field("SystemReserved", texts("systemReserved"))
        .field("KubeReserved", texts("kubeReserved"))
        .field("EvictionHard", texts("evictionHard"))
        .field("EvictionSoft", texts("evictionSoft"))
        .field("EvictionSoftGracePeriod", periods)
        .field("EvictionMaxPodGracePeriod", number("evictionMaxPodGracePeriod"))
        .field(
            "ImageGCHighThresholdPercent",
            number("imageGCHighThresholdPercent"),
        )
        .field("ImageGCLowThresholdPercent", number("imageGCLowThresholdPercent"))
        .field("CPUCFSQuota", k.cpu_cfs_quota().map(boolean))
        .end()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn class(change: impl FnOnce(&mut serde_json::Value)) -> Ec2NodeClassSpec {
        let mut spec = json!({
            "amiFamily": "Custom",
            "role": "role-1",
            "tags": {"keyTag-1": "valueTag-1", "keyTag-2": "valueTag-2"},
            "userData": "userdata-test-1",
            "context": "fake-context",
            "detailedMonitoring": false,
            "associatePublicIPAddress": false,
            "metadataOptions": {"httpEndpoint": "disabled", "httpProtocolIPv6": "disabled",
                "httpPutResponseHopLimit": 1, "httpTokens": "optional"},
            "blockDeviceMappings": [
                {"deviceName": "map-device-1", "ebs": {"deleteOnTermination": false, "encrypted": false, "iops": 0,
                    "kmsKeyID": "fakeKMSKeyID", "snapshotID": "fakeSnapshot", "throughput": 0,
                    "volumeSize": "2G", "volumeType": "standard"}},
                {"deviceName": "map-device-2"}]
        });
        change(&mut spec);
        serde_json::from_value(spec).expect("a spec")
    }

    #[test]
    fn node_class_hashes_are_those_of_the_reference() {
        let ca = "test-ca-bundle";
        let v6 = |change: fn(&mut serde_json::Value)| ec2nodeclass_v6(&class(change), ca);
        assert_eq!(v6(|_| ()), "11148166120438674859");
        assert_eq!(
            v6(|s| s["blockDeviceMappings"][0]["ebs"]["volumeSize"] = json!("10G")),
            "10372902467896351912"
        );
        assert_eq!(
            v6(|s| {
                s["role"] = json!(null);
                s["instanceProfile"] = json!("test-instance-profile");
            }),
            "10323991363677716244"
        );
        assert_eq!(
            v6(|s| s["userData"] = json!("userdata-test-2")),
            "11774429238106843388"
        );
        assert_eq!(
            v6(|s| s["detailedMonitoring"] = json!(true)),
            "1936848126751988570"
        );
        assert_eq!(ec2nodeclass_v5(&class(|_| ()), ca), "2608468723537941485");
    }

    #[test]
    fn node_pool_hash_is_that_of_the_reference_and_ignores_order() {
        let template =
            |v: serde_json::Value| -> NodeClaimTemplate { serde_json::from_value(v).expect("template") };
        let reference = json!({"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"});
        let first = template(json!({"metadata": {"labels": {"team": "a"}},
            "spec": {"requirements": [], "nodeClassRef": reference, "expireAfter": "720h"}}));
        assert_eq!(nodepool(&first), "1617844334411263980");
        let taint = |key: &str| json!({"key": key, "effect": "NoSchedule"});
        let one = template(json!({"spec": {"nodeClassRef": reference, "taints": [taint("a"), taint("b")]}}));
        let other = template(
            json!({"spec": {"nodeClassRef": reference, "taints": [taint("b"), taint("a")],
            "requirements": [{"key": "x", "operator": "Exists"}]}}),
        );
        assert_eq!(nodepool(&one), nodepool(&other));
        assert_ne!(nodepool(&one), nodepool(&first));
    }
}
