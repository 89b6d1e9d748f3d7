//! What a URL path names (`kube-wire §3`).

use super::wire::decode;

/// A path, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub enum Path {
    Version,
    Health,
    /// `/api`
    Core,
    /// `/apis`
    Groups,
    /// `/apis/G`
    Group(String),
    /// `/api/v1`, `/apis/G/V`
    GroupVersion {
        group: String,
        version: String,
    },
    /// What comes after `/openapi/v3`, without slashes around it.
    OpenApi(String),
    Resource(Resource),
    Unknown,
}

#[derive(Debug, PartialEq, Eq, Default)]
pub struct Resource {
    pub group: String,
    pub version: String,
    pub plural: String,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub subresource: Option<String>,
    /// What follows the subresource, as in a proxied path.
    pub rest: bool,
}

/// Never fails: what it does not know is [`Path::Unknown`].
pub fn parse(path: &str) -> Path {
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decode)
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["version"] => Path::Version,
        ["healthz" | "livez" | "readyz", ..] => Path::Health,
        ["api"] => Path::Core,
        ["apis"] => Path::Groups,
        ["apis", group] => Path::Group((*group).to_owned()),
        ["api", version] => Path::GroupVersion {
            group: String::new(),
            version: (*version).to_owned(),
        },
        ["apis", group, version] => Path::GroupVersion {
            group: (*group).to_owned(),
            version: (*version).to_owned(),
        },
        ["openapi", "v3", rest @ ..] => Path::OpenApi(rest.join("/")),
        ["api", version, rest @ ..] => resource("", version, rest),
        ["apis", group, version, rest @ ..] => resource(group, version, rest),
        _ => Path::Unknown,
    }
}

fn resource(group: &str, version: &str, rest: &[&str]) -> Path {
    let owned = |part: &&str| Some((*part).to_owned());
    let mut out = Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        ..Resource::default()
    };
    let rest = match rest {
        // `namespaces/NS/status` and `/finalize` are about the namespace itself.
        ["namespaces", _, "status" | "finalize"] => rest,
        ["namespaces", namespace, inner @ ..] if !inner.is_empty() => {
            out.namespace = owned(namespace);
            inner
        }
        other => other,
    };
    let [plural, tail @ ..] = rest else {
        return Path::Unknown;
    };
    (*plural).clone_into(&mut out.plural);
    out.name = tail.first().and_then(owned);
    out.subresource = tail.get(1).and_then(owned);
    out.rest = tail.len() > 2;
    Path::Resource(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(path: &str) -> String {
        match parse(path) {
            Path::Resource(r) => format!(
                "{}|{}|{}|{}|{}|{}",
                r.group,
                r.version,
                r.namespace.unwrap_or_default(),
                r.plural,
                r.name.unwrap_or_default(),
                r.subresource.unwrap_or_default()
            ),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn resource_paths() {
        assert_eq!(flat("/api/v1/nodes"), "|v1||nodes||");
        assert_eq!(flat("/api/v1/namespaces"), "|v1||namespaces||");
        assert_eq!(flat("/api/v1/namespaces/default"), "|v1||namespaces|default|");
        assert_eq!(
            flat("/api/v1/namespaces/x/finalize"),
            "|v1||namespaces|x|finalize"
        );
        assert_eq!(flat("/api/v1/namespaces/x/pods"), "|v1|x|pods||");
        assert_eq!(
            flat("/api/v1/namespaces/x/pods/p/eviction"),
            "|v1|x|pods|p|eviction"
        );
        assert_eq!(
            flat("/apis/apps/v1/namespaces/x/deployments/d/scale"),
            "apps|v1|x|deployments|d|scale"
        );
        assert_eq!(
            flat("/apis/karpenter.sh/v1/nodepools/a%2Db"),
            "karpenter.sh|v1||nodepools|a-b|"
        );
    }

    #[test]
    fn other_paths() {
        assert_eq!(parse("/version"), Path::Version);
        assert_eq!(parse("/apis/apps"), Path::Group("apps".to_owned()));
        assert_eq!(
            parse("/openapi/v3/apis/apps/v1"),
            Path::OpenApi("apis/apps/v1".to_owned())
        );
        assert_eq!(parse("/openapi/v2"), Path::Unknown);
        assert_eq!(parse("/"), Path::Unknown);
    }
}
