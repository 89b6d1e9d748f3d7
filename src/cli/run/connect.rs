//! From flags and environment to a cluster.

use std::path::Path;
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::config::{Cluster as Entry, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::args::ClusterArgs;
use crate::api::schema::suggestion;
use crate::cli::CliError;
use crate::world::apiserver::base64;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const AUTHORITY_IN_POD: &str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";

/// How to reach a cluster; clients are made from it where they are used.
#[derive(Clone, Debug)]
pub struct Access {
    config: kube::Config,
    /// The context's name, or `in-cluster`.
    pub context: String,
    /// Base64 of the certificate authority, as nodes get it; empty when not known.
    pub authority: String,
}

impl Access {
    pub fn endpoint(&self) -> String {
        self.config
            .cluster_url
            .to_string()
            .trim_end_matches('/')
            .to_owned()
    }

    /// A client whose requests carry `who`. Call it inside the runtime that will use it.
    ///
    /// # Errors
    /// When TLS or the credentials cannot be set up.
    pub fn client(&self, who: &str) -> Result<kube::Client, CliError> {
        let mut config = self.config.clone();
        let agent = format!("{who}/{}", env!("CARGO_PKG_VERSION"));
        if let Ok(agent) = HeaderValue::from_str(&agent) {
            config.headers.push((USER_AGENT, agent));
        }
        config.connect_timeout = Some(CONNECT_WITHIN);
        // Every try is the engine's: a refused eviction must come back at once.
        config.default_retry = false;
        kube::Client::try_from(config)
            .map_err(|e| CliError::Outside(format!("context {}: {}", self.context, root(&e))))
    }
}

/// The last cause of an error: the first ones only say that there is one.
pub fn root(error: &dyn std::error::Error) -> String {
    let mut last = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        last = error.to_string();
        cause = error.source();
    }
    last
}

/// # Errors
/// No kubeconfig and no pod, or a file or context that is not there.
pub async fn access(args: &ClusterArgs) -> Result<Access, CliError> {
    let file = match &args.kubeconfig {
        Some(path) => Kubeconfig::read_from(path)
            .map_err(|e| CliError::Input(format!("--kubeconfig {}: {}", path.display(), told(&e))))?,
        None => match Kubeconfig::read() {
            Ok(file) => file,
            Err(error) => return in_pod(args, &error),
        },
    };
    from_file(file, args).await
}

fn told(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::ReadConfig(why, _) => why.to_string(),
        other => other.to_string(),
    }
}

fn in_pod(args: &ClusterArgs, error: &KubeconfigError) -> Result<Access, CliError> {
    let named = std::env::var_os("KUBECONFIG").is_some_and(|v| !v.is_empty());
    if args.context.is_none()
        && let Ok(config) = kube::Config::incluster()
    {
        return Ok(Access {
            config,
            context: "in-cluster".into(),
            authority: authority_file(Path::new(AUTHORITY_IN_POD)),
        });
    }
    Err(CliError::Outside(match error {
        KubeconfigError::ReadConfig(why, path) if named => {
            format!("KUBECONFIG={}: {why}: point it to a file, or use --kubeconfig", path.display())
        }
        KubeconfigError::ReadConfig(..) | KubeconfigError::FindPath => {
            "no cluster: there is no ~/.kube/config, KUBECONFIG is not set and this is no pod; give --kubeconfig FILE, \
             or write one with `aws eks update-kubeconfig --name CLUSTER`"
                .to_owned()
        }
        other => format!("the kubeconfig is broken: {other}"),
    }))
}

fn authority_file(path: &Path) -> String {
    std::fs::read(path).map(|pem| base64(&pem)).unwrap_or_default()
}

async fn from_file(file: Kubeconfig, args: &ClusterArgs) -> Result<Access, CliError> {
    let contexts: Vec<&str> = file.contexts.iter().map(|c| c.name.as_str()).collect();
    let known = |name: &str| contexts.contains(&name);
    let context = match (&args.context, &file.current_context) {
        (Some(name), _) if !known(name) => {
            let hint = suggestion(name, contexts.iter().copied());
            let list = if contexts.is_empty() {
                "none".to_owned()
            } else {
                contexts.join(", ")
            };
            return Err(CliError::Input(format!(
                "--context {name}: the kubeconfig has no such context{hint} (there are: {list})"
            )));
        }
        (Some(name), _) => name.clone(),
        (None, Some(name)) if known(name) => name.clone(),
        (None, Some(name)) if !name.is_empty() => {
            return Err(CliError::Outside(format!(
                "the kubeconfig's current context {name} is not in it: choose one with --context"
            )));
        }
        (None, _) => {
            return Err(CliError::Outside(
                "the kubeconfig has no current context: choose one with --context".to_owned(),
            ));
        }
    };
    let authority = entry_of(&file, &context).map(authority).unwrap_or_default();
    let options = KubeConfigOptions {
        context: Some(context.clone()),
        ..KubeConfigOptions::default()
    };
    let config = kube::Config::from_custom_kubeconfig(file, &options)
        .await
        .map_err(|e| {
            CliError::Outside(format!(
                "context {context} of the kubeconfig is broken: {}",
                told(&e)
            ))
        })?;
    Ok(Access {
        config,
        context,
        authority,
    })
}

fn entry_of<'a>(file: &'a Kubeconfig, context: &str) -> Option<&'a Entry> {
    let context = file
        .contexts
        .iter()
        .find(|c| c.name == context)?
        .context
        .as_ref()?;
    file.clusters
        .iter()
        .find(|c| c.name == context.cluster)?
        .cluster
        .as_ref()
}

fn authority(entry: &Entry) -> String {
    match (&entry.certificate_authority_data, &entry.certificate_authority) {
        (Some(data), _) => data.clone(),
        (None, Some(path)) => authority_file(Path::new(path)),
        (None, None) => String::new(),
    }
}

/// The cluster's name when nobody gave it: `aws eks update-kubeconfig` names contexts by ARN, eksctl puts it before
/// `.REGION.eksctl.io`.
pub fn cluster_name(context: &str) -> Option<String> {
    if let Some((_, name)) = context.split_once(":cluster/") {
        return Some(name.to_owned());
    }
    let host = context.rsplit('@').next()?.strip_suffix(".eksctl.io")?;
    host.rsplit_once('.').map(|(name, _)| name.to_owned())
}

#[cfg_attr(not(feature = "aws"), allow(dead_code))]
/// The region that such a context names.
pub fn region_of(context: &str) -> Option<String> {
    if context.contains(":cluster/") {
        return context
            .split(':')
            .nth(3)
            .filter(|r| !r.is_empty())
            .map(str::to_owned);
    }
    let host = context.rsplit('@').next()?.strip_suffix(".eksctl.io")?;
    host.rsplit_once('.').map(|(_, region)| region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- name: c\n  cluster: {server: \
                        'https://127.0.0.1:1', certificate-authority-data: eA==}\ncontexts:\n- name: a\n  context: \
                        {cluster: c, user: u}\nusers:\n- name: u\n  user: {token: t}\n";

    fn args(context: Option<&str>) -> ClusterArgs {
        ClusterArgs {
            context: context.map(str::to_owned),
            ..ClusterArgs::default()
        }
    }

    #[tokio::test]
    async fn a_context_that_is_not_there_is_bad_input_and_names_those_that_are() {
        let file = Kubeconfig::from_yaml(FILE).expect("yaml");
        let error = from_file(file, &args(Some("b")))
            .await
            .expect_err("no such context");
        assert_eq!(error.code(), 2);
        assert!(error.to_string().contains("--context b") && error.to_string().contains("there are: a"));
        let gone = FILE.replace("current-context: a", "current-context: z");
        let file = Kubeconfig::from_yaml(&gone).expect("yaml");
        let error = from_file(file, &args(None)).await.expect_err("no such context");
        assert_eq!(error.code(), 3);
    }

    #[test]
    fn names_of_contexts_tell_cluster_and_region() {
        for (context, name, region) in [
            (
                "arn:aws:eks:eu-west-1:123456789012:cluster/shop",
                Some("shop"),
                Some("eu-west-1"),
            ),
            ("ann@shop.eu-west-1.eksctl.io", Some("shop"), Some("eu-west-1")),
            ("kind-shop", None, None),
        ] {
            assert_eq!(cluster_name(context).as_deref(), name, "{context}");
            assert_eq!(region_of(context).as_deref(), region, "{context}");
        }
    }
}
