//! What is missing is named, one line each, and nothing is written.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};

use super::rig::{story, world, writes};
use crate::act::lease::LeaseName;
use crate::cli::CliError;
use crate::cli::run::args::ClusterArgs;
use crate::cli::run::checks::{Asked, Found, cluster};
use crate::cli::run::connect::Access;
use crate::cli::run::{account, connect, rights};
use crate::cloud::aws;
use crate::observe::read_only;
use crate::world::Embedded;
use crate::world::apiserver::DeleteOptions;

const KINDS: [&str; 3] = [
    "nodepools.karpenter.sh",
    "nodeclaims.karpenter.sh",
    "ec2nodeclasses.karpenter.k8s.aws",
];

async fn check(client: kube::Client) -> Result<Found, CliError> {
    let lease = LeaseName {
        namespace: "kube-system".into(),
        name: "l".into(),
    };
    let mut rights = rights::reads(&[]);
    rights.extend(rights::writes(&[], Some(&lease)));
    let asked = Asked {
        endpoint: "https://cluster.example",
        rights: &rights,
        kinds: &KINDS,
        authority: "",
    };
    cluster(&read_only(client), &asked).await
}

fn lines(outcome: Result<Found, CliError>) -> Vec<String> {
    let error = outcome.expect_err("something is missing");
    assert_eq!(error.code(), 3);
    error.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn a_whole_cluster_passes_and_checking_it_writes_nothing() {
    story(async {
        let world = world();
        let found = check(world.api.client("kerf-check")).await.expect("whole");
        assert_eq!(found.warnings, Vec::<String>::new());
        assert_eq!(found.classes.len(), 1);
        assert!(found.version.starts_with("1."), "{}", found.version);
        assert_eq!(writes(&world, "kerf-check"), 0);
    });
}

#[test]
fn a_missing_definition_names_the_command_that_installs_it() {
    story(async {
        let world = world();
        let definitions = "customresourcedefinitions.apiextensions.k8s.io";
        let options = DeleteOptions::default();
        world
            .api
            .delete("nodepools.karpenter.sh", "", "default", &options)
            .expect("deleted");
        world
            .api
            .delete(definitions, "", "nodepools.karpenter.sh", &options)
            .expect("deleted");
        let lines = lines(check(world.api.client("kerf-check")).await);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("nodepools.karpenter.sh"), "{lines:?}");
        assert!(
            lines[0].contains("kerf manifests crds | kubectl apply -f -"),
            "{lines:?}"
        );
    });
}

#[test]
fn pools_and_classes_that_are_not_there_are_warned_of() {
    story(async {
        let world = world();
        let options = DeleteOptions::default();
        world
            .api
            .delete("ec2nodeclasses.karpenter.k8s.aws", "", "default", &options)
            .expect("deleted");
        let found = check(world.api.client("kerf-check")).await.expect("whole");
        assert!(
            found.warnings[0].contains("no EC2NodeClass"),
            "{:?}",
            found.warnings
        );
        world
            .api
            .delete("nodepools.karpenter.sh", "", "default", &options)
            .expect("deleted");
        let found = check(world.api.client("kerf-check")).await.expect("whole");
        assert!(found.warnings[0].contains("no NodePool"), "{:?}", found.warnings);
    });
}

/// The world's API server, but reviews of some verbs say no.
fn denying(world: &Embedded, resource: &'static str, verb: &'static str) -> kube::Client {
    let api = world.api.clone();
    let service = tower::service_fn(move |request: Request<kube::client::Body>| {
        let api = api.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body
                .collect()
                .await
                .map(http_body_util::Collected::to_bytes)
                .unwrap_or_default();
            let review: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let asked = &review["spec"]["resourceAttributes"];
            if asked["resource"] == resource && asked["verb"] == verb {
                let mut no = review.clone();
                no["status"] = serde_json::json!({"allowed": false});
                let body = Full::new(Bytes::from(no.to_string())).boxed_unsync();
                return Ok::<_, std::convert::Infallible>(Response::new(body));
            }
            Ok(api.handle(Request::from_parts(parts, body)).await)
        }
    });
    kube::Client::new(service, "default")
}

#[test]
fn a_denied_verb_is_named_with_its_resource_and_how_to_mend_it() {
    story(async {
        let world = world();
        let no = lines(check(denying(&world, "nodeclaims", "create")).await);
        assert_eq!(no.len(), 1, "{no:?}");
        assert!(
            no[0].starts_with("not allowed to create nodeclaims.karpenter.sh"),
            "{no:?}"
        );
        assert!(no[0].contains("kerf manifests rbac"), "{no:?}");
        let no = lines(check(denying(&world, "pods", "watch")).await);
        assert!(no[0].starts_with("not allowed to watch pods"), "{no:?}");
    });
}

async fn access(yaml: &str) -> Access {
    let file = std::env::temp_dir().join(format!("kerf-run-{}-{:p}", std::process::id(), yaml));
    std::fs::write(&file, yaml).expect("written");
    let args = ClusterArgs {
        kubeconfig: Some(file.clone()),
        ..ClusterArgs::default()
    };
    let access = connect::access(&args).await.expect("a kubeconfig");
    std::fs::remove_file(file).expect("removed");
    access
}

#[tokio::test]
async fn over_tls_a_real_client_gets_the_same_answers() {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let world = world();
            let port = world
                .api
                .listen("127.0.0.1:0".parse().expect("an address"))
                .expect("listens");
            let reached = access(&port.kubeconfig).await;
            assert!(!reached.authority.is_empty());
            let found = check(reached.client("kerf-check").expect("a client"))
                .await
                .expect("whole");
            assert_eq!(found.classes.len(), 1);
            assert_eq!(writes(&world, "kerf-check"), 0, "{:?}", world.api.writes());

            let stranger = port.kubeconfig.replace("token: ", "token: x");
            let client = access(&stranger).await.client("kerf-check").expect("a client");
            let no = lines(check(client).await);
            assert!(no[0].contains("does not accept the credentials (401)"), "{no:?}");

            drop(port);
        })
        .await;
}

#[tokio::test]
async fn nobody_there_is_one_line_with_the_address() {
    let yaml = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- name: c\n  cluster: {server: \
                'https://127.0.0.1:1'}\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\nusers:\n- name: u\n  \
                user: {token: t}\n";
    let client = access(yaml).await.client("kerf-check").expect("a client");
    let no = lines(check(client).await);
    assert_eq!(no.len(), 1, "{no:?}");
    assert!(
        no[0].contains("cannot be reached") && no[0].contains("refused"),
        "{no:?}"
    );
}

#[test]
fn a_class_without_subnets_and_a_refused_call_are_told_before_anything_starts() {
    story(async {
        let world = world();
        let reader = || {
            let mut settings = aws::Settings::new(&world.cluster_name, &world.region);
            settings.cluster_cidr = "10.100.0.0/16".into();
            aws::reader(std::sync::Arc::new(world.ec2.clone()), settings, world.clock)
        };
        let found = check(world.api.client("kerf-check")).await.expect("whole");
        assert_eq!(
            account::check(&reader(), &found).await.expect("usable"),
            Vec::<String>::new()
        );

        world
            .ec2
            .refuse("DescribeInstances", "UnauthorizedOperation", "no", 1);
        let no = account::check(&reader(), &found).await.expect_err("refused");
        assert_eq!((no.code(), no.to_string().lines().count()), (3, 1));
        assert!(no.to_string().contains("DescribeInstances"), "{no}");

        world
            .api
            .update("ec2nodeclasses.karpenter.k8s.aws", "", "default", &mut |class| {
                class["spec"]["subnetSelectorTerms"] =
                    serde_json::json!([{"tags": {"karpenter.sh/discovery": "other"}}]);
            })
            .expect("changed");
        let found = check(world.api.client("kerf-check")).await.expect("whole");
        let no = account::check(&reader(), &found).await.expect_err("no subnet");
        assert!(
            no.to_string().starts_with("EC2NodeClass default: SubnetsReady"),
            "{no}"
        );
        assert_eq!(world.ec2.instances().len(), 0);
    });
}
