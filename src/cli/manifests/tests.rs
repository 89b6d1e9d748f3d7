//! Golden files are in tests/data/manifests; `KERF_BLESS=1 cargo test --lib cli::manifests` writes them anew.

use std::collections::BTreeSet;

use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::cli::args::{Demo, SettingsArgs};
use crate::cli::{Cli, Command};
use crate::clock::Clock;
use crate::cloud::aws::interruption as queue;
use crate::gate::Mode;
use crate::world::apiserver::{ApiServer, Config};

fn manifests(args: &[&str]) -> Manifests {
    let cli = Cli::try_parse_from([&["kerf", "manifests"], args].concat()).expect("arguments");
    match cli.command {
        Some(Command::Manifests(m)) => *m,
        other => panic!("{other:?}"),
    }
}

fn text(args: &[&str]) -> Result<String, String> {
    print::text(&manifests(args)).map_err(|e| e.to_string())
}

const KNOWN: [&str; 3] = ["--cluster=shop", "--account=123456789012", "--region=eu-west-1"];

fn known<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter().copied().chain(KNOWN).collect()
}

fn options(args: &[&str]) -> Options {
    manifests(&known(args)).options().expect("options")
}

#[test]
fn every_document_is_what_it_was() {
    let irsa = [
        "--identity=irsa",
        "--oidc-provider=https://oidc.eks.eu-west-1.amazonaws.com/id/AB12",
    ];
    let mut wrong = Vec::new();
    for (file, args) in [
        ("rbac.yaml", vec!["rbac"]),
        ("rbac-observe.yaml", vec!["rbac", "--mode=observe"]),
        (
            "deployment.yaml",
            known(&["deployment", "--image=registry.example/kerf:1"]),
        ),
        (
            "deployment-irsa.yaml",
            known(&["deployment", "--namespace=kerf", irsa[0]]),
        ),
        ("iam.json", known(&["iam"])),
        ("iam-observe.json", known(&["iam", "--mode=observe"])),
        (
            "iam-placeholders.json",
            vec!["iam", "--cluster=shop", "--format=cloudformation"],
        ),
        (
            "iam-irsa.json",
            known(&["iam", "--format=cloudformation", irsa[0], irsa[1]]),
        ),
        ("interruption.json", vec!["interruption", "--cluster=shop"]),
        (
            "interruption-calls.json",
            known(&["interruption", "--format=json"]),
        ),
    ] {
        let found = text(&args).expect(file);
        let path = format!("{}/tests/data/manifests/{file}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("KERF_BLESS").is_some() {
            std::fs::write(&path, &found).expect("golden files can be written");
        } else if std::fs::read_to_string(&path).unwrap_or_default() != found {
            wrong.push(format!("{file} differs:\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// YAML and JSON say the same, and the embedded API server takes it strictly, twice.
#[tokio::test(start_paused = true)]
async fn the_api_server_accepts_what_is_printed() {
    let start = "2026-01-05T09:00:00Z".parse().expect("time");
    let clock = Clock::starting_at(start);
    for args in [
        &["deployment"][..],
        &["deployment", "--mode=observe"],
        &["deployment", "--namespace=kerf", "--identity=irsa", "--queue="],
    ] {
        let server = ApiServer::new(Config {
            clock,
            seed: 7,
            state: None,
        })
        .expect("server");
        let client = server.client("kubectl/1");
        let printed = text(&known(args)).expect("yaml");
        let documents: Vec<Value> = printed
            .split("---\n")
            .skip(1)
            .map(|d| serde_saphyr::from_str(d).expect("yaml"))
            .collect();
        let list: Value =
            serde_json::from_str(&text(&known(&[args, &["--format=json"]].concat())).expect("json"))
                .expect("json");
        assert_eq!(list["items"], json!(documents));
        for _ in 0..2 {
            for document in &documents {
                apply(&server, &client, document).await;
            }
        }
    }
}

async fn apply(server: &ApiServer, client: &kube::Client, document: &Value) {
    let word = |pointer: &str| {
        document
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (version, kind, name) = (word("/apiVersion"), word("/kind"), word("/metadata/name"));
    let known = server
        .kind_of(version, kind)
        .unwrap_or_else(|| panic!("{version} {kind}"));
    let root = if version.contains('/') { "apis" } else { "api" };
    let space = match word("/metadata/namespace") {
        "" => String::new(),
        namespace => format!("/namespaces/{namespace}"),
    };
    let uri = format!(
        "/{root}/{version}{space}/{}/{name}?fieldManager=kubectl&fieldValidation=Strict",
        known.plural
    );
    let request = http::Request::patch(uri)
        .header(http::header::CONTENT_TYPE, "application/apply-patch+yaml")
        .body(document.to_string().into_bytes())
        .expect("request");
    let answer = client.request::<Value>(request).await;
    assert!(answer.is_ok(), "{kind} {name}: {answer:?}");
}

/// An observer reads, and nothing else.
#[test]
fn observing_needs_read_verbs_only() {
    for document in rbac(&options(&["rbac", "--mode=observe"])) {
        for rule in document["rules"].as_array().into_iter().flatten() {
            for verb in rule["verbs"].as_array().into_iter().flatten() {
                assert!(
                    ["get", "list", "watch"].contains(&verb.as_str().unwrap_or_default()),
                    "{rule}"
                );
            }
            let secrets = rule["resources"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|r| r == "secrets");
            assert!(!secrets, "Secret objects are never read");
        }
    }
    let read = policy(&options(&["iam", "--mode=observe"]));
    for statement in read["Statement"].as_array().into_iter().flatten() {
        for action in statement["Action"].as_array().into_iter().flatten() {
            let (_, verb) = action
                .as_str()
                .and_then(|a| a.split_once(':'))
                .expect("service:verb");
            assert!(
                verb.starts_with("Describe") || verb.starts_with("Get"),
                "{action}"
            );
        }
    }
    let observer = deployment(&options(&["deployment", "--mode=observe"]));
    assert!(
        !json!(observer).to_string().contains("INTERRUPTION_QUEUE"),
        "reading a queue empties it"
    );
    assert!(!json!(observer).to_string().contains("leases"));
}

/// All wildcards are bounded: nothing that changes the account is allowed without a tag, a name or an own resource.
#[test]
fn writes_in_the_account_are_scoped() {
    let all = policy(&options(&["iam"]));
    let mut seen = Vec::new();
    for statement in all["Statement"].as_array().into_iter().flatten() {
        let actions: Vec<&str> = statement["Action"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        seen.extend(actions.iter().map(|a| (*a).to_owned()));
        let reads = actions.iter().all(|a| {
            a.split_once(':')
                .is_some_and(|(_, v)| ["Describe", "Get", "List"].iter().any(|p| v.starts_with(p)))
        });
        let condition = statement["Condition"].to_string();
        let scoped = condition.contains("kubernetes.io/cluster/shop")
            || condition.contains("iam:PassedToService")
            || statement["Sid"] == "LaunchWith"
            || statement["Resource"] == "arn:aws:sqs:eu-west-1:123456789012:shop";
        assert!(reads || scoped, "{statement}");
        assert!(reads || statement["Resource"] != "*", "{statement}");
    }
    // The list of `aws §21` but for zonal shift, which is not asked for.
    for action in [
        "ec2:RunInstances",
        "ec2:CreateFleet",
        "ec2:CreateLaunchTemplate",
        "ec2:CreateTags",
        "ec2:TerminateInstances",
        "ec2:DeleteLaunchTemplate",
        "iam:PassRole",
        "iam:CreateInstanceProfile",
        "iam:TagInstanceProfile",
        "iam:AddRoleToInstanceProfile",
        "iam:RemoveRoleFromInstanceProfile",
        "iam:DeleteInstanceProfile",
        "iam:GetInstanceProfile",
        "iam:ListInstanceProfiles",
        "eks:DescribeCluster",
        "ssm:GetParameter",
        "pricing:GetProducts",
        "sqs:ReceiveMessage",
    ] {
        assert!(seen.iter().any(|a| a == action), "{action}");
    }
    // IAM counts what is no blank.
    let long = manifests(&[
        "iam",
        "--cluster=production-shop-europe-1",
        "--account=123456789012",
        "--region=ap-southeast-2",
    ]);
    let size = policy(&long.options().expect("options")).to_string().len();
    assert!(
        size <= 6144,
        "a managed policy takes 6144 characters, this one has {size}"
    );
}

/// What a rule lets through is read as the event that it is for.
#[test]
fn every_rule_is_of_an_event_that_is_read() {
    for (name, pattern) in interruption::rules() {
        let mut detail = json!({"instance-id": "i-1", "affectedEntities": [{"entityValue": "i-2"}]});
        for (key, values) in pattern["detail"].as_object().into_iter().flatten() {
            detail[key] = values[0].clone();
        }
        let event = json!({
            "version": "0", "source": pattern["source"][0], "detail-type": pattern["detail-type"][0],
            "detail": detail,
        });
        let read = queue::parse(&event.to_string()).expect("json");
        assert!(read.kind.is_some(), "{name}");
        assert!(!read.instances.is_empty(), "{name}");
    }
}

#[test]
fn what_no_account_can_have_is_refused() {
    for (args, word) in [
        (&["iam"][..], "--cluster is missing"),
        (&["deployment"], "--cluster is missing"),
        (&["iam", "--cluster=a b"], "--cluster"),
        (&["iam", "--cluster=shop", "--account=12"], "twelve digits"),
        (&["iam", "--cluster=shop", "--region=Europe"], "--region"),
        (&["rbac", "--namespace=Kube"], "--namespace"),
        (&["deployment", "--cluster=shop", "--image=a b"], "--image"),
        (&["interruption", "--cluster=shop", "--queue="], "--queue"),
        (&["rbac", "--format=cloudformation"], "yaml or json"),
        (
            &["iam", "--cluster=shop", "--format=yaml"],
            "json or cloudformation",
        ),
        (
            &[
                "iam",
                "--cluster=shop",
                "--format=cloudformation",
                "--identity=irsa",
            ],
            "--oidc-provider",
        ),
    ] {
        let refused = text(args).expect_err("refused");
        assert!(refused.contains(word), "{args:?}: {refused}");
    }
}

#[test]
fn partitions_follow_the_region() {
    for (region, partition) in [
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
    ] {
        let o = manifests(&["iam", "--cluster=shop", &format!("--region={region}")])
            .options()
            .expect("options");
        assert_eq!(o.partition(), partition);
        assert!(
            policy(&o)
                .to_string()
                .contains(&format!("arn:{partition}:iam::ACCOUNT_ID:"))
        );
    }
}

/// `verb resource.group` of every rule of these roles.
fn allowed(documents: &[Value]) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let texts = |v: &Value| -> Vec<String> {
        v.as_array()
            .into_iter()
            .flatten()
            .filter_map(|t| t.as_str().map(str::to_owned))
            .collect()
    };
    for rule in documents
        .iter()
        .flat_map(|d| d["rules"].as_array().into_iter().flatten())
    {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                let what = if group.is_empty() {
                    resource
                } else {
                    format!("{resource}.{group}")
                };
                out.extend(texts(&rule["verbs"]).iter().map(|verb| format!("{verb} {what}")));
            }
        }
    }
    out
}

/// Whole runs ask for nothing that the roles do not allow; the reading half needs no more than an observer has; and no
/// write is allowed that nobody makes.
#[test]
fn the_roles_are_enough_and_no_more() {
    let (mut read, mut written) = (BTreeSet::new(), BTreeSet::new());
    for (scenario, minutes, gates) in [
        ("spot-storm", 30, "NodeOverlay=true,CapacityBuffer=true"),
        ("stuck-pdb", 30, ""),
    ] {
        let demo = Demo {
            scenario: scenario.into(),
            headless: true,
            mode: Mode::Auto,
            for_: Some(jiff::SignedDuration::from_mins(minutes)),
            settings: SettingsArgs {
                feature_gates: Some(gates.into()),
                ..SettingsArgs::default()
            },
            ..Demo::default()
        };
        let api = crate::cli::demo::asked(&demo).expect("run");
        read.extend(api.uses("kerf-reader"));
        written.extend(api.uses("kerf"));
    }
    let observer = allowed(&rbac(&options(&["rbac", "--mode=observe"])));
    let controller = allowed(&rbac(&options(&["rbac"])));
    assert_eq!(read.difference(&observer).collect::<Vec<_>>(), [] as [&String; 0]);
    assert_eq!(
        written.difference(&controller).collect::<Vec<_>>(),
        [] as [&String; 0]
    );
    let writes = |verb: &&String| {
        !["get ", "list ", "watch "]
            .iter()
            .any(|read| verb.starts_with(read))
    };
    let unused: Vec<&str> = controller
        .difference(&written)
        .filter(writes)
        .map(|u| &**u)
        .collect();
    // Pauses, the lease, and the status of alpha kinds: no scenario has them.
    let elsewhere = [
        "configmaps",
        "leases.",
        "capacitybuffers/status.",
        "nodeoverlays/status.",
    ];
    let unused = unused
        .into_iter()
        .filter(|u| !elsewhere.iter().any(|e| u.contains(e)));
    assert_eq!(unused.collect::<Vec<_>>(), [""; 0]);
}

/// What `kerf run` checks at its start is in the roles.
#[test]
fn a_run_finds_the_rights_that_it_asks_for() {
    use crate::cli::run::rights;
    let controller = allowed(&rbac(&options(&["rbac"])));
    let observer = allowed(&rbac(&options(&["rbac", "--mode=observe"])));
    let words = |r: &rights::Right| -> Vec<String> {
        let group = if r.group.is_empty() {
            String::new()
        } else {
            format!(".{}", r.group)
        };
        r.verbs
            .iter()
            .map(|verb| format!("{verb} {}{group}", r.resource))
            .collect()
    };
    for right in rights::reads(&[]) {
        assert!(words(&right).iter().all(|w| observer.contains(w)), "{right:?}");
    }
    for right in rights::writes(&[], None) {
        assert!(words(&right).iter().all(|w| controller.contains(w)), "{right:?}");
    }
}
