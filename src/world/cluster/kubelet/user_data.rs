//! What user data tells a kubelet (`aws §4`): node labels, taints to register with, and the pod limit. `AL2023`'s
//! `NodeConfig`, AL2's bootstrap arguments and Bottlerocket's settings are understood; everything else is passed over.

use serde_json::{Value, json};

#[derive(Debug, Default, PartialEq)]
pub struct Told {
    pub labels: Vec<(String, String)>,
    /// Taints as Node objects hold them.
    pub taints: Vec<Value>,
    pub max_pods: Option<i64>,
}

/// Later parts win, as nodeadm merges them.
pub fn read(text: &str) -> Told {
    let mut out = Told::default();
    let text = &text.replace("\r\n", "\n");
    for config in node_configs(text) {
        out.node_config(&config);
    }
    if out == Told::default() {
        if text.contains("[settings") {
            out.bottlerocket(text);
        } else {
            out.flags(text);
        }
    }
    out
}

/// Every YAML document of kind `NodeConfig`, whether in a MIME part or alone.
fn node_configs(text: &str) -> Vec<Value> {
    let boundary = text.lines().find_map(|line| {
        let (_, rest) = line.split_once("boundary=")?;
        Some(format!(
            "--{}",
            rest.trim().trim_end_matches(';').trim_matches('"')
        ))
    });
    let parts: Vec<String> = match boundary {
        None => vec![text.to_owned()],
        Some(boundary) => {
            let mut parts = vec![String::new()];
            for line in text.lines() {
                if line.trim_end().trim_end_matches("--") == boundary.trim_end_matches("--") {
                    parts.push(String::new());
                } else if let Some(part) = parts.last_mut() {
                    part.push_str(line);
                    part.push('\n');
                }
            }
            // Headers of a part end at the first empty line.
            parts
                .iter()
                .skip(1)
                .map(|part| {
                    let body = part.trim_start_matches(['\r', '\n']);
                    match body.split_once("\n\n") {
                        Some((head, body)) if head.contains("Content-Type") => body.to_owned(),
                        _ => body.to_owned(),
                    }
                })
                .collect()
        }
    };
    parts
        .iter()
        .filter(|part| part.contains("NodeConfig"))
        .filter_map(|part| serde_saphyr::from_str::<Value>(part.trim_matches(['\r', '\n', '-', ' '])).ok())
        .filter(|config| config["kind"] == "NodeConfig")
        .collect()
}

impl Told {
    fn node_config(&mut self, config: &Value) {
        let kubelet = &config["spec"]["kubelet"];
        if let Some(taints) = kubelet["config"]["registerWithTaints"].as_array() {
            self.taints.clone_from(taints);
        }
        if let Some(pods) = kubelet["config"]["maxPods"].as_i64() {
            self.max_pods = Some(pods);
        }
        for flag in kubelet["flags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            self.flags(flag);
        }
    }

    /// `--node-labels=a=b,c=d`, `--register-with-taints=k=v:NoSchedule`, `--max-pods=29` anywhere in a text.
    fn flags(&mut self, text: &str) {
        if let Some(labels) = flag(text, "--node-labels=") {
            let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
            for (key, value) in pairs {
                self.labels.push((key.trim().to_owned(), value.trim().to_owned()));
            }
        }
        if let Some(taints) = flag(text, "--register-with-taints=") {
            self.taints.extend(taints.split(',').filter_map(taint));
        }
        if let Some(pods) = flag(text, "--max-pods=").and_then(|p| p.parse().ok()) {
            self.max_pods = Some(pods);
        }
    }

    fn bottlerocket(&mut self, text: &str) {
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = name;
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let (key, value) = (unquote(key), value.trim());
            match section {
                "settings.kubernetes.node-labels" => self.labels.push((key, unquote(value))),
                "settings.kubernetes.node-taints" => {
                    let list = value.trim_start_matches('[').trim_end_matches(']');
                    for entry in list.split(',').map(unquote).filter(|e| !e.is_empty()) {
                        let (value, effect) = entry.split_once(':').unwrap_or(("", entry.as_str()));
                        self.taints.push(made(&key, value, effect));
                    }
                }
                "settings.kubernetes" if key == "max-pods" => self.max_pods = unquote(value).parse().ok(),
                _ => {}
            }
        }
    }
}

fn unquote(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

/// The value of a flag, up to a quote or blank.
fn flag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(name)?;
    let rest = rest.trim_start_matches(['"', '\'']);
    let end = rest.find(['"', '\'', ' ', '\n', '\r']).unwrap_or(rest.len());
    rest.get(..end).filter(|value| !value.is_empty())
}

/// `key=value:Effect` or `key:Effect`.
fn taint(text: &str) -> Option<Value> {
    let (head, effect) = text.rsplit_once(':')?;
    let (key, value) = head.split_once('=').unwrap_or((head, ""));
    Some(made(key, value, effect))
}

fn made(key: &str, value: &str, effect: &str) -> Value {
    if value.is_empty() {
        json!({"key": key, "effect": effect})
    } else {
        json!({"key": key, "value": value, "effect": effect})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_config_in_a_mime_part_is_read() {
        let text = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n--//\nContent-Type: text/x-shellscript\n\n#!/bin/sh\necho --node-labels=wrong=1\n--//\nContent-Type: application/node.eks.aws\n\n# Karpenter Generated NodeConfig\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  cluster:\n    name: demo\n  kubelet:\n    config:\n      maxPods: 58\n      registerWithTaints:\n      - effect: NoExecute\n        key: karpenter.sh/unregistered\n    flags:\n    - --node-labels=\"karpenter.sh/capacity-type=spot,karpenter.sh/nodepool=default\"\n--//--\n";
        let told = read(text);
        assert_eq!(told.max_pods, Some(58));
        assert_eq!(
            told.taints,
            [json!({"key": "karpenter.sh/unregistered", "effect": "NoExecute"})]
        );
        assert_eq!(
            told.labels,
            [
                ("karpenter.sh/capacity-type".to_owned(), "spot".to_owned()),
                ("karpenter.sh/nodepool".to_owned(), "default".to_owned())
            ]
        );
    }

    #[test]
    fn bootstrap_arguments_and_settings_are_read() {
        let told = read(
            "#!/bin/bash\n/etc/eks/bootstrap.sh 'demo' --kubelet-extra-args '--node-labels=\"a=b\" --register-with-taints=\"k=v:NoSchedule,karpenter.sh/unregistered:NoExecute\" --max-pods=29'\n",
        );
        assert_eq!(told.labels, [("a".to_owned(), "b".to_owned())]);
        assert_eq!(told.taints.len(), 2);
        assert_eq!(told.max_pods, Some(29));
        let told = read(
            "[settings.kubernetes]\nmax-pods = 12\n[settings.kubernetes.node-labels]\n\"a\" = \"b\"\n[settings.kubernetes.node-taints]\n\"k\" = [\"v:NoExecute\"]\n",
        );
        assert_eq!(
            told.taints,
            [json!({"key": "k", "value": "v", "effect": "NoExecute"})]
        );
        assert_eq!((told.labels.len(), told.max_pods), (1, Some(12)));
    }

    #[test]
    fn nonsense_tells_nothing() {
        assert_eq!(read(""), Told::default());
        assert_eq!(
            read("MIME-Version: 1.0\nboundary=\"x\"\n--x\nNodeConfig: ["),
            Told::default()
        );
    }
}
