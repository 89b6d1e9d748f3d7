//! What the controller may do in the account (`aws §21`): the calls that it makes, scoped by the tags of the cluster
//! wherever EC2 and IAM know them. An observer gets the calls that change nothing.

use serde_json::{Value, json};

use super::{Identity, Options};
use crate::api::names::{TAG_CLUSTER, TAG_NAME, TAG_NODECLAIM, TAG_NODECLASS, TAG_NODEPOOL};
use crate::cli::CliError;

/// Reading calls of EC2; none of them can be scoped but by region.
const DESCRIBE: [&str; 11] = [
    "ec2:DescribeCapacityReservations",
    "ec2:DescribeImages",
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribePlacementGroups",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
];

/// The policy document, as `aws iam create-policy --policy-document` takes it.
pub fn policy(o: &Options) -> Value {
    let mut statements = reads(o);
    if !o.observes() {
        statements.extend(machines(o));
        statements.extend(profiles(o));
        if !o.queue.is_empty() {
            statements.push(statement(
                "Interruption",
                &["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"],
                json!(queue_arn(o)),
                Value::Null,
            ));
        }
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

// Callers build both in place.
#[allow(clippy::needless_pass_by_value)]
fn statement(sid: &str, actions: &[&str], resource: Value, condition: Value) -> Value {
    let mut out = json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource});
    if !condition.is_null() {
        out["Condition"] = condition;
    }
    out
}

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:REST`.
fn arn(o: &Options, service: &str, region: &str, account: &str, rest: &str) -> String {
    format!("arn:{}:{service}:{region}:{account}:{rest}", o.partition())
}

fn queue_arn(o: &Options) -> String {
    arn(o, "sqs", o.region(), o.account(), &o.queue)
}

/// Resources of EC2 in the region, of whatever account.
fn ec2(o: &Options, kinds: &[&str]) -> Value {
    kinds
        .iter()
        .map(|kind| json!(arn(o, "ec2", o.region(), "*", &format!("{kind}/*"))))
        .collect()
}

fn reads(o: &Options) -> Vec<Value> {
    let cluster = arn(
        o,
        "eks",
        o.region(),
        o.account(),
        &format!("cluster/{}", o.cluster),
    );
    let images = arn(o, "ssm", o.region(), "", "parameter/aws/service/*");
    let here = json!({"StringEquals": {"aws:RequestedRegion": o.region()}});
    vec![
        statement("Describe", &DESCRIBE, json!("*"), here),
        statement("Images", &["ssm:GetParameter"], json!(images), Value::Null),
        statement("Prices", &["pricing:GetProducts"], json!("*"), Value::Null),
        statement("Cluster", &["eks:DescribeCluster"], json!(cluster), Value::Null),
    ]
}

/// `aws:ResourceTag/KEY` or `aws:RequestTag/KEY`.
fn tag(which: &str, key: &str) -> String {
    format!("aws:{which}Tag/{key}")
}

/// Launching what carries the cluster's tags; tagging and ending what already does.
fn machines(o: &Options) -> Vec<Value> {
    let of_pool = |which: &str| json!({tag(which, TAG_NODEPOOL): "*"});
    let asked = json!({tag("Request", &o.cluster_tag()): "owned", tag("Request", TAG_CLUSTER): o.cluster});
    let owned = json!({tag("Resource", &o.cluster_tag()): "owned"});
    let made = ec2(
        o,
        &[
            "fleet",
            "instance",
            "launch-template",
            "network-interface",
            "spot-instances-request",
            "volume",
        ],
    );
    let ours = json!({"StringEquals": owned, "StringLike": of_pool("Resource")});
    let mut tagging = asked.clone();
    tagging["ec2:CreateAction"] = json!(["RunInstances", "CreateFleet", "CreateLaunchTemplate"]);
    let launch = ["ec2:RunInstances", "ec2:CreateFleet"];
    vec![
        statement(
            "LaunchWith",
            &launch,
            ec2(
                o,
                &[
                    "capacity-reservation",
                    "image",
                    "placement-group",
                    "security-group",
                    "snapshot",
                    "subnet",
                ],
            ),
            Value::Null,
        ),
        statement("LaunchFrom", &launch, ec2(o, &["launch-template"]), ours.clone()),
        statement(
            "Launch",
            &["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"],
            made.clone(),
            json!({"StringEquals": asked, "StringLike": of_pool("Request")}),
        ),
        statement(
            "TagAtLaunch",
            &["ec2:CreateTags"],
            made,
            json!({"StringEquals": tagging, "StringLike": of_pool("Request")}),
        ),
        statement(
            "TagLater",
            &["ec2:CreateTags"],
            ec2(o, &["instance"]),
            json!({
                "StringEquals": owned,
                "StringLike": of_pool("Resource"),
                "StringEqualsIfExists": {tag("Request", TAG_CLUSTER): o.cluster},
                "ForAllValues:StringEquals": {"aws:TagKeys": [TAG_CLUSTER, TAG_NODECLAIM, TAG_NAME]},
            }),
        ),
        statement(
            "End",
            &["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"],
            ec2(o, &["instance", "launch-template"]),
            ours,
        ),
    ]
}

/// Instance profiles of the cluster, and the one role that they may hold.
fn profiles(o: &Options) -> Vec<Value> {
    const REGION: &str = "topology.kubernetes.io/region";
    let profile = json!(arn(o, "iam", "", o.account(), "instance-profile/*"));
    let role = json!(arn(o, "iam", "", o.account(), &format!("role/{}", o.node_role)));
    let services = if o.partition() == "aws-cn" {
        json!(["ec2.amazonaws.com", "ec2.amazonaws.com.cn"])
    } else {
        json!("ec2.amazonaws.com")
    };
    let asked = json!({
        tag("Request", &o.cluster_tag()): "owned",
        tag("Request", TAG_CLUSTER): o.cluster,
        tag("Request", REGION): o.region(),
    });
    let owned = json!({tag("Resource", &o.cluster_tag()): "owned", tag("Resource", REGION): o.region()});
    let class = |which: &str| json!({tag(which, TAG_NODECLASS): "*"});
    let mut both = asked.clone();
    if let (Some(both), Some(owned)) = (both.as_object_mut(), owned.as_object()) {
        both.extend(owned.clone());
    }
    let mut classes = class("Request");
    classes[tag("Resource", TAG_NODECLASS)] = json!("*");
    vec![
        statement(
            "PassNodeRole",
            &["iam:PassRole"],
            role,
            json!({"StringEquals": {"iam:PassedToService": services}}),
        ),
        statement(
            "MakeProfile",
            &["iam:CreateInstanceProfile"],
            profile.clone(),
            json!({"StringEquals": asked, "StringLike": class("Request")}),
        ),
        statement(
            "TagProfile",
            &["iam:TagInstanceProfile"],
            profile.clone(),
            json!({"StringEquals": both, "StringLike": classes}),
        ),
        statement(
            "ChangeProfile",
            &[
                "iam:AddRoleToInstanceProfile",
                "iam:RemoveRoleFromInstanceProfile",
                "iam:DeleteInstanceProfile",
            ],
            profile.clone(),
            json!({"StringEquals": owned, "StringLike": class("Resource")}),
        ),
        statement("ReadProfile", &["iam:GetInstanceProfile"], profile, Value::Null),
        statement(
            "ListProfiles",
            &["iam:ListInstanceProfiles"],
            json!("*"),
            Value::Null,
        ),
    ]
}

/// A stack of the policy, the role, and what lets the service account have it.
///
/// # Errors
/// IRSA without an issuer, which only a cluster can name.
pub fn template(o: &Options) -> Result<Value, CliError> {
    let mut resources = json!({
        "ControllerPolicy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"ManagedPolicyName": o.role, "PolicyDocument": policy(o)},
        },
        "ControllerRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": o.role,
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust(o)?]},
                "ManagedPolicyArns": [{"Ref": "ControllerPolicy"}],
            },
        },
    });
    if o.identity == Identity::PodIdentity {
        resources["Association"] = json!({
            "Type": "AWS::EKS::PodIdentityAssociation",
            "Properties": {
                "ClusterName": o.cluster,
                "Namespace": o.namespace,
                "ServiceAccount": super::rbac::NAME,
                "RoleArn": {"Fn::GetAtt": ["ControllerRole", "Arn"]},
            },
        });
    }
    let mut out = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Rights of kerf in cluster {}", o.cluster),
        "Resources": resources,
    });
    substitute(&mut out, o);
    Ok(out)
}

/// Who may take the role.
fn trust(o: &Options) -> Result<Value, CliError> {
    if o.identity == Identity::PodIdentity {
        return Ok(json!({
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }));
    }
    let issuer = &o.oidc_provider;
    if issuer.is_empty() {
        return Err(CliError::Input(
            "--oidc-provider is missing: with --identity irsa the role trusts the cluster's issuer; `aws eks \
             describe-cluster --query cluster.identity.oidc.issuer` names it"
                .into(),
        ));
    }
    let account = format!("system:serviceaccount:{}:{}", o.namespace, super::rbac::NAME);
    Ok(json!({
        "Effect": "Allow",
        "Principal": {"Federated": arn(o, "iam", "", o.account(), &format!("oidc-provider/{issuer}"))},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            format!("{issuer}:aud"): "sts.amazonaws.com",
            format!("{issuer}:sub"): account,
        }},
    }))
}

/// In a stack the placeholders are what CloudFormation knows itself.
pub(super) fn substitute(value: &mut Value, o: &Options) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|v| substitute(v, o)),
        Value::Object(map) => map.values_mut().for_each(|v| substitute(v, o)),
        Value::String(text) => {
            let mut new = text.clone();
            if text.starts_with("arn:") {
                if o.region.is_none() {
                    new = new.replacen("arn:aws:", "arn:${AWS::Partition}:", 1);
                    new = new.replace(&format!(":{}:", o.region()), ":${AWS::Region}:");
                }
                if o.account.is_none() {
                    new = new.replace(&format!(":{}:", o.account()), ":${AWS::AccountId}:");
                }
            } else if o.region.is_none() && text == o.region() {
                *value = json!({"Ref": "AWS::Region"});
                return;
            }
            if new != *text {
                *value = json!({"Fn::Sub": new});
            }
        }
        _ => {}
    }
}
