//! What `kerf manifests` is told, and what is wrong with it.

use clap::{Args, ValueEnum};

use crate::cli::CliError;
use crate::gate::Mode;

/// Stands in plain JSON for what was not given.
const ACCOUNT: &str = "ACCOUNT_ID";
const REGION: &str = "REGION";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// The custom resource definitions
    Crds,
    /// What the controller may do in the cluster, by mode
    Rbac,
    /// Everything that runs in the cluster: rbac, service account, deployment, disruption budget, metrics service
    Deployment,
    /// What the controller may do in the account, by mode
    Iam,
    /// The interruption queue and the event rules that fill it
    Interruption,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Yaml,
    Json,
    Cloudformation,
}

/// How the service account gets its role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Identity {
    /// An EKS pod identity association: nothing on the service account
    #[default]
    PodIdentity,
    /// The cluster's OIDC provider: the service account is annotated with the role
    Irsa,
}

#[derive(Clone, Debug, Args)]
pub struct Manifests {
    #[arg(value_enum)]
    pub what: What,
    /// yaml (default for the cluster), json (default for iam), cloudformation (default for interruption)
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// What the autoscaler may do: observe asks for read rights only
    #[arg(long, value_parser = super::super::args::parse_mode, default_value = "supervise")]
    pub mode: Mode,
    /// Name of the cluster (needed but for crds and rbac)
    #[arg(long, env = "CLUSTER_NAME", value_name = "NAME")]
    pub cluster: Option<String>,
    /// Namespace of the controller
    #[arg(long, default_value = "kube-system", value_name = "NAME")]
    pub namespace: String,
    /// Image of the controller, with kerf as its entry point
    #[arg(long, value_name = "IMAGE", default_value = concat!("kerf:", env!("CARGO_PKG_VERSION")))]
    pub image: String,
    /// Account of the cluster, twelve digits (default: a placeholder)
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Region of the cluster (default: a placeholder)
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// Interruption queue; empty for none (default: the cluster's name)
    #[arg(long, env = "INTERRUPTION_QUEUE", value_name = "NAME")]
    pub queue: Option<String>,
    /// Role of the controller (default: kerf-CLUSTER)
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// Role of the nodes, the only one that may be handed on (default: KarpenterNodeRole-CLUSTER)
    #[arg(long, value_name = "NAME")]
    pub node_role: Option<String>,
    /// How the service account gets its role
    #[arg(long, value_enum, default_value_t)]
    pub identity: Identity,
    /// With --identity irsa: the cluster's issuer, such as oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE
    #[arg(long, value_name = "HOST/PATH")]
    pub oidc_provider: Option<String>,
}

/// All that the documents depend on, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub mode: Mode,
    pub cluster: String,
    pub namespace: String,
    pub image: String,
    /// `None` = a placeholder.
    pub account: Option<String>,
    pub region: Option<String>,
    /// Empty = none.
    pub queue: String,
    pub role: String,
    pub node_role: String,
    pub identity: Identity,
    pub oidc_provider: String,
}

impl Options {
    /// Nothing may be written.
    pub fn observes(&self) -> bool {
        self.mode == Mode::Observe
    }

    pub fn account(&self) -> &str {
        self.account.as_deref().unwrap_or(ACCOUNT)
    }

    pub fn region(&self) -> &str {
        self.region.as_deref().unwrap_or(REGION)
    }

    /// `aws`, `aws-cn`, `aws-us-gov` … as the region has it.
    pub fn partition(&self) -> &'static str {
        match self.region() {
            r if r.starts_with("cn-") => "aws-cn",
            r if r.starts_with("us-gov-") => "aws-us-gov",
            r if r.starts_with("us-isob-") => "aws-iso-b",
            r if r.starts_with("us-isof-") => "aws-iso-f",
            r if r.starts_with("us-iso-") => "aws-iso",
            r if r.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        }
    }

    /// Tag of everything that belongs to the cluster; its value is `owned`.
    pub fn cluster_tag(&self) -> String {
        format!("{}{}", crate::api::names::TAG_CLUSTER_PREFIX, self.cluster)
    }
}

fn wrong(flag: &str, value: &str, mend: &str) -> CliError {
    CliError::Input(format!("--{flag} {value:?}: {mend}"))
}

/// Letters, digits and `more`, at most `most` of them and at least one.
fn is_name(text: &str, most: usize, more: &str) -> bool {
    (1..=most).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

impl Manifests {
    /// # Errors
    /// A value that no cluster or account can have: exit code 2.
    pub fn options(&self) -> Result<Options, CliError> {
        let needs_cluster = !matches!(self.what, What::Crds | What::Rbac);
        let cluster = self.cluster.clone().unwrap_or_default();
        if cluster.is_empty() && needs_cluster {
            let what = self
                .what
                .to_possible_value()
                .map_or_else(String::new, |v| v.get_name().to_owned());
            return Err(CliError::Input(format!(
                "--cluster is missing: `kerf manifests {what}` names the cluster in what it prints; give the name \
                 that EKS has for it"
            )));
        }
        if !cluster.is_empty() && !is_name(&cluster, 100, "-_") {
            return Err(wrong(
                "cluster",
                &cluster,
                "use at most 100 letters, digits, - and _",
            ));
        }
        let dns = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !is_name(&self.namespace, 63, "-") || !self.namespace.chars().all(dns) {
            return Err(wrong(
                "namespace",
                &self.namespace,
                "use at most 63 small letters, digits and -",
            ));
        }
        if self.image.is_empty() || self.image.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(wrong(
                "image",
                &self.image,
                "write NAME:TAG or NAME@DIGEST, without blanks",
            ));
        }
        if let Some(account) = &self.account
            && !(account.len() == 12 && account.chars().all(|c| c.is_ascii_digit()))
        {
            return Err(wrong("account", account, "an account id has twelve digits"));
        }
        if let Some(region) = &self.region
            && !(is_name(region, 30, "-") && region.chars().all(dns) && region.contains('-'))
        {
            return Err(wrong("region", region, "write a region such as eu-west-1"));
        }
        let queue = self.queue.clone().unwrap_or_else(|| cluster.clone());
        if !queue.is_empty() && !is_name(&queue, 80, "-_") {
            return Err(wrong(
                "queue",
                &queue,
                "use at most 80 letters, digits, - and _, or '' for none",
            ));
        }
        if queue.is_empty() && self.what == What::Interruption {
            return Err(wrong("queue", "", "the interruption queue needs a name"));
        }
        // Roles have at most 64 characters; a long cluster name needs one of its own.
        let named = |flag: &str, given: &Option<String>, prefix: &str| {
            let role = given.clone().unwrap_or_else(|| format!("{prefix}{cluster}"));
            if is_name(&role, 64, "-_+=,.@") {
                Ok(role)
            } else {
                Err(wrong(
                    flag,
                    &role,
                    "a role has at most 64 letters, digits and _+=,.@-",
                ))
            }
        };
        let role = named("role", &self.role, "kerf-")?;
        let node_role = named("node-role", &self.node_role, "KarpenterNodeRole-")?;
        let oidc_provider = self.oidc_provider.clone().unwrap_or_default();
        let oidc_provider = oidc_provider
            .strip_prefix("https://")
            .unwrap_or(&oidc_provider)
            .to_owned();
        if !oidc_provider.is_empty() && !is_name(&oidc_provider, 255, "-./") {
            return Err(wrong(
                "oidc-provider",
                &oidc_provider,
                "write it as EKS does, such as oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE",
            ));
        }
        Ok(Options {
            mode: self.mode,
            cluster,
            namespace: self.namespace.clone(),
            image: self.image.clone(),
            account: self.account.clone(),
            region: self.region.clone(),
            queue,
            role,
            node_role,
            identity: self.identity,
            oidc_provider,
        })
    }
}
