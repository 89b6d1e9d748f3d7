//! The command itself: plan, checks, engine, face.

use std::process::ExitCode;
use std::rc::Rc;
use std::thread::JoinHandle;

use super::args::{Form, Run};
use super::checks::Found;
use super::connect::Access;
use super::serve::{self, Shared};
use super::stage::{Campaign, Election, Ground, Orders, live};
use super::{account, checks, connect, rights};
use crate::act::Writer;
use crate::act::lease::LeaseName;
use crate::cli::logging::Logging;
use crate::cli::{CliError, Output, face, headless, print, supervised};
use crate::clock::Clock;
use crate::cloud::aws;
use crate::engine::handle::{Desk, pair};
use crate::engine::{Ended, Handle};
use crate::gate::{Command, Mode};
use crate::ledger::book::Listener;
use crate::observe::kinds::Kind;
use crate::observe::{Objects, read_only};
use crate::telemetry::LogFormat;

/// User agents, so that an API server's log tells who did what.
const READER: &str = "kerf-reader";
const WRITER: &str = "kerf";
const ELECTOR: &str = "kerf-elector";

pub fn run(run: &Run, logging: &Logging, output: Option<Output>) -> Result<ExitCode, CliError> {
    use std::io::IsTerminal;
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if !(run.headless || terminal) {
        return Err(CliError::Input(
            "this is no terminal: add --headless to run without a dashboard".into(),
        ));
    }
    account::check_flags(run)?;
    run.settings.settings()?;
    let level = run.host.log_level.as_deref().filter(|l| !l.is_empty());
    let base = level.unwrap_or(if run.headless { "info" } else { "warn" });
    let format = match run.host.log_format {
        Form::Text => LogFormat::Text,
        Form::Json => LogFormat::Json,
    };
    logging.start(!run.headless, format, base)?;
    let (handle, desk) = pair();
    let tally = Shared::default();
    ports(run, &handle, &tally)?;
    let run = run.clone();
    if run.headless {
        return in_the_log(run, handle, desk, tally, output);
    }
    face::with_dashboard(handle, move |mut started| {
        on_a_runtime(async move {
            let ready = prepare(&run).await?;
            started.now();
            Box::pin(ready.live(desk, serve::counting(tally))).await
        })
    })
}

fn ports(run: &Run, handle: &Handle, tally: &Shared) -> Result<(), CliError> {
    let or = |port: Option<u16>, default: u16| port.unwrap_or(if run.headless { default } else { 0 });
    let metrics = or(run.host.metrics_port, 8080);
    if metrics != 0 {
        let served = serve::metrics_port(metrics, run.headless, handle.clone(), tally.clone())?;
        tracing::info!(addr = %served.addr, "metrics at /metrics");
    }
    let probes = or(run.host.health_probe_port, 8081);
    if probes != 0 {
        let served = serve::probe_port(probes, run.headless, handle.clone())?;
        tracing::info!(addr = %served.addr, "probes at /healthz and /readyz");
    }
    Ok(())
}

fn on_a_runtime<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = supervised::runtime(false)?;
    tokio::task::LocalSet::new().block_on(&runtime, Box::pin(work))
}

fn in_the_log(
    run: Run,
    handle: Handle,
    desk: Desk,
    tally: Shared,
    output: Option<Output>,
) -> Result<ExitCode, CliError> {
    let mut count = serve::counting(tally);
    let mut tell = output.map_or_else(log_listener, |output| headless::listener(output, None));
    let listener: Listener = Box::new(move |entry, line| {
        count(entry, line);
        tell(entry, line);
    });
    let (ended, started) = on_a_runtime(async move {
        tokio::task::spawn_local(async move {
            stop_signal().await;
            let _ = handle.send("signal", Command::Quit);
        });
        let ready = prepare(&run).await?;
        let started = ready.ground.clock.now();
        Box::pin(ready.live(desk, listener))
            .await
            .map(|ended| (ended, started))
    })?;
    supervised::recorded(&ended)?;
    let seconds = ended.view.now.duration_since(started).as_secs();
    let mut summary = headless::summary(&ended, seconds, 0);
    if let Some(fields) = summary.as_object_mut() {
        // Only the embedded API server counts requests.
        fields.remove("apiWrites");
    }
    match output {
        Some(Output::Json) => print(&format!("{summary}\n")),
        Some(Output::Text) => print(&headless::summary_text(&summary)),
        None => Ok(ExitCode::SUCCESS),
    }
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    futures::future::select(Box::pin(term.recv()), Box::pin(int.recv())).await;
}

/// What the ledger tells, as lines of the log.
fn log_listener() -> Listener {
    Box::new(|entry, _| {
        if crate::ledger::fold::is_log_line(&entry.body) {
            let (text, _) = crate::ui::log_line(entry);
            tracing::info!(seq = entry.seq, "{}", crate::words::clean(&text));
        }
    })
}

/// Everything was reached and nothing is missing.
struct Ready {
    ground: Ground,
    orders: Orders,
    elector: Rc<std::cell::Cell<Option<JoinHandle<()>>>>,
}

impl Ready {
    async fn live(self, desk: Desk, listener: Listener) -> Result<Ended, CliError> {
        let ended = Box::pin(live(self.ground, self.orders, desk, Some(listener))).await;
        // It gives the lease back, within its time-outs.
        if let Some(thread) = self.elector.take() {
            let _ = thread.join();
        }
        Ok(ended)
    }
}

fn kinds(without: &[Kind]) -> Vec<&'static str> {
    [Kind::Pool, Kind::Claim, Kind::Class, Kind::Overlay, Kind::Buffer]
        .into_iter()
        .filter(|k| !without.contains(k))
        .map(Kind::plural)
        .collect()
}

async fn prepare(run: &Run) -> Result<Ready, CliError> {
    let settings = run.settings.settings()?;
    let access = connect::access(&run.cluster).await?;
    let name = account::name_of(run, &access)?;
    let reader = read_only(access.client(READER)?);
    let without = supervised::unwatched(&settings);
    let lease = (!run.host.disable_leader_election).then(|| LeaseName {
        namespace: run.host.leader_election_namespace.clone(),
        name: run.host.leader_election_name.clone(),
    });
    let mut rights = rights::reads(&without);
    if run.mode != Mode::Observe {
        rights.extend(rights::writes(&without, lease.as_ref()));
    }
    let asked = checks::Asked {
        endpoint: &access.endpoint(),
        rights: &rights,
        kinds: &kinds(&without),
        authority: &account::authority(run, &access),
    };
    let found = checks::cluster(&reader, &asked).await?;
    let clock = Clock::wall();
    let cloud = ec2(run, &name, &access, &found, clock).await?;
    let classes = account::check(
        &aws::reader(cloud.read.clone(), cloud.settings.clone(), clock),
        &found,
    )
    .await?;
    for warning in found.warnings.iter().chain(&classes) {
        tracing::warn!("{warning}");
        if !run.headless {
            eprintln!("kerf: {}", crate::words::clean(warning));
        }
    }
    let recorder = supervised::recorder(run.record.as_deref())?;
    let elector = Rc::new(std::cell::Cell::new(None));
    let election = lease.map(|lease| {
        let (access, thread, observes) = (access.clone(), elector.clone(), run.mode == Mode::Observe);
        Election {
            lease,
            me: identity(),
            start: Box::new(move |campaign| thread.set(campaign_aside(campaign, access, observes))),
        }
    });
    let writing = access.clone();
    let writer_client = if run.mode == Mode::Observe {
        None
    } else {
        Some(writing.client(WRITER)?)
    };
    Ok(Ready {
        ground: Ground {
            clock,
            reader: reader.clone(),
            // In observe there is no client that could write, not even unused.
            writer: Rc::new(move || Writer::new(writer_client.clone().unwrap_or_else(|| reader.clone()))),
            ec2: cloud.read,
            ec2_write: cloud.write,
            iam: cloud.iam,
            queue: cloud.queue,
            aws: cloud.settings,
        },
        orders: Orders {
            supervision: supervised::supervision(run.mode, &run.policy, &run.guard),
            settings,
            source: access.context.as_str().into(),
            recorder,
            recording: run.record.as_ref().map(|p| p.display().to_string()),
            election,
            watched: !run.headless,
        },
        elector,
    })
}

/// Pod or host, and the process: two on one host are two.
fn identity() -> crate::model::Name {
    let host = ["POD_NAME", "HOSTNAME"]
        .iter()
        .find_map(|key| std::env::var(key).ok().filter(|v| !v.is_empty()));
    let host = host.or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    let host = host.map_or_else(|| "kerf".to_owned(), |h| h.trim().to_owned());
    let since = jiff::Timestamp::now().as_millisecond();
    format!("{host}_{}-{since:x}", std::process::id()).into()
}

/// The elector has a thread, a runtime and a client of its own: a long decision never costs the lease.
fn campaign_aside(campaign: Campaign, access: Access, observes: bool) -> Option<JoinHandle<()>> {
    let thread = std::thread::Builder::new().name("elector".into()).spawn(move || {
        let done = on_a_runtime(async move {
            let client = access.client(ELECTOR)?;
            let look = Objects::new(read_only(client.clone()));
            let client = if observes { read_only(client) } else { client };
            campaign
                .elector(look, Box::new(move || Writer::new(client.clone())))
                .run()
                .await;
            Ok(())
        });
        if let Err(error) = done {
            tracing::error!(%error, "there is no election");
        }
    });
    thread.ok()
}

/// AWS as far as this build can reach it.
struct Ec2 {
    read: std::sync::Arc<dyn aws::api::Ec2Read>,
    write: Option<std::sync::Arc<dyn aws::api::Ec2Write>>,
    iam: Option<std::sync::Arc<dyn aws::api::Iam>>,
    queue: Option<std::sync::Arc<dyn aws::api::Queue>>,
    settings: aws::Settings,
}

#[cfg(feature = "aws")]
async fn ec2(run: &Run, name: &str, access: &Access, found: &Found, clock: Clock) -> Result<Ec2, CliError> {
    let mut wanted = aws::sdk::ConnectSettings::new(clock);
    // The context's own region only where nothing else names one.
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .iter()
        .any(|key| std::env::var_os(key).is_some_and(|v| !v.is_empty()));
    let own = || connect::region_of(&access.context).filter(|_| !named && run.aws.profile.is_none());
    wanted.region = run.aws.region.clone().or_else(own);
    wanted.profile.clone_from(&run.aws.profile);
    wanted.interruption_queue = run.aws.interruption_queue.clone().filter(|q| !q.is_empty());
    wanted.write = run.mode != Mode::Observe;
    let there = aws::sdk::connect(&wanted)
        .await
        .map_err(|e| CliError::Outside(e.to_string()))?;
    if let Some(who) = &there.identity {
        tracing::info!(account = %who.account, arn = %who.arn, region = %there.region, "AWS answers");
    }
    let mut settings = account::settings(run, name, &there.region, access, found);
    match there.clusters.describe_cluster(name.into()).await {
        Ok(eks) => {
            settings.cluster_cidr = eks.service_cidr;
            if run.cluster.cluster_endpoint.is_none() && !eks.endpoint.is_empty() {
                settings.cluster_endpoint = eks.endpoint;
            }
            if settings.cluster_ca.is_empty() {
                settings.cluster_ca = eks.certificate_authority;
            }
        }
        // No EKS cluster, or one that may not be described: AL2023 nodes get no service range then.
        Err(error) => tracing::warn!(%error, cluster = name, "EKS does not describe the cluster"),
    }
    Ok(Ec2 {
        read: there.read,
        write: there.write,
        iam: there.iam,
        queue: there.queue,
        settings,
    })
}

#[cfg(not(feature = "aws"))]
#[allow(clippy::unused_async)]
async fn ec2(_: &Run, _: &str, _: &Access, _: &Found, _: Clock) -> Result<Ec2, CliError> {
    Err(CliError::Outside(
        "this kerf was built without AWS: build it with `cargo build --release --features aws`".to_owned(),
    ))
}
