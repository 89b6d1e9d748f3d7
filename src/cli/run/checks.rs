//! What is missing in the cluster, one line each with how to mend it, before anything starts. Reads only.

use std::time::Duration;

use http::Request;
use serde_json::{Value, json};

use super::connect::root;
use super::rights::Right;
use crate::cli::CliError;
use crate::model::NodeClass;
use crate::observe::Projector;
use crate::observe::slim;

/// An API server that answers nothing for so long is not there.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What a cluster said of itself.
#[derive(Debug, Default)]
pub struct Found {
    /// Minor like `1.34`; empty when not known.
    pub version: String,
    /// ClusterIP of kube-dns; empty when not known.
    pub dns: String,
    pub classes: Vec<NodeClass>,
    /// What is no error and yet keeps nodes from coming.
    pub warnings: Vec<String>,
}

/// What is looked for.
pub struct Asked<'a> {
    pub endpoint: &'a str,
    pub rights: &'a [Right],
    /// Plurals with their group, like `nodepools.karpenter.sh`.
    pub kinds: &'a [&'a str],
    /// Enters the hash of node classes.
    pub authority: &'a str,
}

const INSTALL: &str = "`kerf manifests crds | kubectl apply -f -` installs it";

/// # Errors
/// Everything that is missing at once, a line each.
pub async fn cluster(client: &kube::Client, asked: &Asked<'_>) -> Result<Found, CliError> {
    let version = match tokio::time::timeout(ANSWER_WITHIN, get(client, "/version")).await {
        Ok(Ok(version)) => version,
        Ok(Err(error)) => return Err(CliError::Outside(unreachable(asked.endpoint, &error))),
        Err(_) => {
            return Err(CliError::Outside(format!(
                "the API server {} did not answer within {} s: check the address and the network, or choose another \
                 --context",
                asked.endpoint,
                ANSWER_WITHIN.as_secs()
            )));
        }
    };
    let (missing, denied) = tokio::join!(missing(client, asked.kinds), denied(client, asked.rights));
    let mut lines = missing;
    lines.extend(denied.map_err(|e| CliError::Outside(unreachable(asked.endpoint, &e)))?);
    if !lines.is_empty() {
        return Err(CliError::Outside(lines.join("\n")));
    }
    let mut found = Found {
        version: minor(&version),
        ..Found::default()
    };
    let service = get(client, "/api/v1/namespaces/kube-system/services/kube-dns").await;
    if let Ok(service) = service {
        service["spec"]["clusterIP"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut found.dns);
    }
    pools(client, asked, &mut found)
        .await
        .map_err(|e| CliError::Outside(unreachable(asked.endpoint, &e)))?;
    Ok(found)
}

async fn get(client: &kube::Client, path: &str) -> Result<Value, kube::Error> {
    let request = Request::get(path)
        .body(Vec::new())
        .map_err(kube::Error::HttpError)?;
    client.request(request).await
}

fn unreachable(endpoint: &str, error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.code == 401 => format!(
            "the API server {endpoint} does not accept the credentials (401): log in again, or choose another --context"
        ),
        kube::Error::Api(status) => format!(
            "the API server {endpoint} refuses ({}): {}",
            status.code,
            if status.message.is_empty() {
                &status.reason
            } else {
                &status.message
            }
        ),
        kube::Error::Auth(why) => {
            format!(
                "credentials for {endpoint} cannot be had: {}: log in again, or choose another --context",
                root(why)
            )
        }
        other => format!(
            "the API server {endpoint} cannot be reached ({}): check the address and the network, or choose another \
             --context",
            root(other)
        ),
    }
}

/// `1.34` of `{major: "1", minor: "34+"}`.
fn minor(version: &Value) -> String {
    let digits = |key: &str| -> String {
        let text = version[key].as_str().unwrap_or_default();
        text.chars().take_while(char::is_ascii_digit).collect()
    };
    match (digits("major"), digits("minor")) {
        (major, minor) if !major.is_empty() && !minor.is_empty() => format!("{major}.{minor}"),
        _ => String::new(),
    }
}

/// Definitions that are not installed. What cannot be asked is left to the rights.
async fn missing(client: &kube::Client, kinds: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    for kind in kinds {
        let (plural, group) = kind.split_once('.').unwrap_or((kind, ""));
        let version = match *kind {
            "nodeoverlays.karpenter.sh" => "v1alpha1",
            "capacitybuffers.autoscaling.x-k8s.io" => "v1beta1",
            _ => "v1",
        };
        let there = match get(client, &format!("/apis/{group}/{version}")).await {
            Ok(list) => list["resources"]
                .as_array()
                .is_none_or(|all| all.iter().any(|r| r["name"] == plural)),
            Err(kube::Error::Api(status)) => status.code != 404,
            Err(_) => true,
        };
        if !there {
            out.push(format!("the cluster does not know {kind} ({version}): {INSTALL}"));
        }
    }
    out
}

async fn denied(client: &kube::Client, rights: &[Right]) -> Result<Vec<String>, kube::Error> {
    let asked = rights.iter().map(|right| async move {
        let mut refused = Vec::new();
        for verb in &right.verbs {
            if !allowed(client, right, verb).await? {
                refused.push(*verb);
            }
        }
        Ok::<_, kube::Error>((right, refused))
    });
    let mut out = Vec::new();
    for answer in futures::future::join_all(asked).await {
        let (right, refused) = answer?;
        if refused.is_empty() {
            continue;
        }
        let dot = if right.group.is_empty() { "" } else { "." };
        let place = if right.namespace.is_empty() {
            String::new()
        } else {
            format!(" in namespace {}", right.namespace)
        };
        out.push(format!(
            "not allowed to {} {}{dot}{}{place}: bind the role that `kerf manifests rbac` prints, or ask whoever \
             manages the cluster",
            refused.join(", "),
            right.resource,
            right.group,
        ));
    }
    Ok(out)
}

async fn allowed(client: &kube::Client, right: &Right, verb: &str) -> Result<bool, kube::Error> {
    let (resource, subresource) = right.resource.split_once('/').unwrap_or((&right.resource, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "group": right.group, "resource": resource, "subresource": subresource,
            "namespace": right.namespace, "verb": verb,
        }},
    });
    let request = Request::post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(review.to_string().into_bytes())
        .map_err(kube::Error::HttpError)?;
    let answer: Value = client.request(request).await?;
    Ok(answer["status"]["allowed"] == true)
}

/// Pools and the classes that they name.
async fn pools(client: &kube::Client, asked: &Asked<'_>, found: &mut Found) -> Result<(), kube::Error> {
    let pools = get(client, "/apis/karpenter.sh/v1/nodepools").await?;
    let classes = get(client, "/apis/karpenter.k8s.aws/v1/ec2nodeclasses").await?;
    let mut projector = Projector::new(asked.authority);
    for item in classes["items"].as_array().into_iter().flatten() {
        if let Ok(class) = serde_json::from_value::<slim::Class>(item.clone()) {
            found.classes.push(projector.class(&class));
        }
    }
    let pools = pools["items"].as_array().cloned().unwrap_or_default();
    if pools.is_empty() {
        found.warnings.push(
            "the cluster has no NodePool: no node will be made; apply one, like that in assets/scenarios/inflate.yaml"
                .to_owned(),
        );
    }
    if found.classes.is_empty() {
        found.warnings.push(
            "the cluster has no EC2NodeClass: no node can be made; apply one that names its subnets, security groups, \
             images and role"
                .to_owned(),
        );
    }
    for pool in &pools {
        let wanted = pool["spec"]["template"]["spec"]["nodeClassRef"]["name"]
            .as_str()
            .unwrap_or_default();
        if !found.classes.is_empty() && !found.classes.iter().any(|c| &*c.name == wanted) {
            let name = pool["metadata"]["name"].as_str().unwrap_or_default();
            found.warnings.push(format!(
                "NodePool {name} names EC2NodeClass {wanted}, which is not there: apply it, or correct nodeClassRef"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_eks_carry_a_plus() {
        assert_eq!(minor(&json!({"major": "1", "minor": "34+"})), "1.34");
        assert_eq!(minor(&json!({})), "");
    }
}
