//! `kerf run` as a process: what is missing is said in one line, with exit code 3, and nothing was touched.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::folder;

struct Told {
    code: Option<i32>,
    stderr: String,
}

/// `kerf run --headless` without anything that the environment of the tests may hold.
fn run(home: &Path, args: &[&str], env: &[(&str, &str)]) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kerf"));
    command.args([
        "run",
        "--headless",
        "--metrics-port",
        "0",
        "--health-probe-port",
        "0",
        "--log-level",
        "error",
    ]);
    command
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command.envs(env.iter().copied());
    let out = command.output().expect("the binary starts");
    Told {
        code: out.status.code(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

fn one_line(told: &Told, code: i32, parts: &[&str]) {
    assert_eq!(told.code, Some(code), "{}", told.stderr);
    assert_eq!(told.stderr.trim_end().lines().count(), 1, "{}", told.stderr);
    for part in parts {
        assert!(told.stderr.contains(part), "{part}: {}", told.stderr);
    }
}

#[test]
fn without_a_cluster_it_says_where_it_looked() {
    let home = folder("run-nowhere");
    one_line(&run(&home, &[], &[]), 3, &["no cluster", "--kubeconfig"]);
    let file = home.join("nothing");
    let path = file.to_str().expect("utf-8");
    one_line(
        &run(&home, &["--kubeconfig", path], &[]),
        2,
        &["--kubeconfig", path],
    );
    one_line(
        &run(&home, &[], &[("KUBECONFIG", path)]),
        3,
        &[path, "--kubeconfig"],
    );
}

#[test]
fn an_api_server_that_is_not_there_and_a_context_that_is_not_there() {
    let home = folder("run-unreachable");
    let file = home.join("config");
    let yaml = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- name: c\n  cluster: {server: \
                'https://127.0.0.1:1'}\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\nusers:\n- name: u\n  \
                user: {token: secret-token}\n";
    std::fs::write(&file, yaml).expect("written");
    let path = file.to_str().expect("utf-8");
    let args = ["--kubeconfig", path, "--cluster-name", "demo"];
    let told = run(&home, &args, &[]);
    one_line(&told, 3, &["https://127.0.0.1:1", "cannot be reached"]);
    assert!(!told.stderr.contains("secret-token"));
    one_line(
        &run(&home, &[&args[..], &["--context", "b"]].concat(), &[]),
        2,
        &["--context b", "there are: a"],
    );
    one_line(&run(&home, &args[..2], &[]), 2, &["--cluster-name"]);
}

/// `kerf demo --listen … --autoscaler off` until dropped.
struct Cluster {
    process: Child,
    kubeconfig: String,
}

impl Cluster {
    fn start(home: &Path) -> Self {
        let kubeconfig = home.join("kubeconfig").to_str().expect("utf-8").to_owned();
        let mut process = Command::new(env!("CARGO_BIN_EXE_kerf"))
            .args([
                "demo",
                "--headless",
                "--listen",
                "127.0.0.1:0",
                "--autoscaler",
                "off",
            ])
            .args([
                "--scenario",
                "inflate",
                "--kubeconfig-out",
                &kubeconfig,
                "--output",
                "json",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // The line about KUBECONFIG says that it serves.
        let mut line = String::new();
        let said = process.stderr.take().expect("piped");
        BufReader::new(said).read_line(&mut line).expect("a line");
        assert!(line.contains("KUBECONFIG="), "{line}");
        Self { process, kubeconfig }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(feature = "aws")]
#[test]
fn without_region_credentials_or_endpoint_nothing_starts() {
    let home = folder("run-no-aws");
    let cluster = Cluster::start(&home);
    let args = [
        "--kubeconfig",
        &cluster.kubeconfig,
        "--cluster-name",
        "kerf-demo",
        "--mode",
        "auto",
    ];
    one_line(&run(&home, &args, &[]), 3, &["no AWS region", "AWS_REGION"]);
    let region = ("AWS_REGION", "us-east-1");
    one_line(&run(&home, &args, &[region]), 3, &["no AWS credentials"]);
    let keys = [
        region,
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ];
    let told = run(&home, &args, &keys);
    one_line(
        &told,
        3,
        &["no answer from http://127.0.0.1:1", "AWS_ENDPOINT_URL"],
    );
    assert!(!told.stderr.contains("wJalr"));
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_without_aws_says_so() {
    let home = folder("run-no-feature");
    let cluster = Cluster::start(&home);
    let args = ["--kubeconfig", &cluster.kubeconfig, "--cluster-name", "kerf-demo"];
    one_line(
        &run(&home, &args, &[]),
        3,
        &["built without AWS", "--features aws"],
    );
}
