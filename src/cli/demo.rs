//! `kerf demo`: the whole product against the embedded world.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use jiff::Timestamp;

use super::args::{Demo, SettingsArgs, Switch};
use super::logging::Logging;
use super::stage::WorldStage;
use super::{CliError, Output, headless, print, supervised};
use crate::act::{Actor, Writer};
use crate::clock::Clock;
use crate::cloud::aws;
use crate::engine::handle::{Desk, pair};
use crate::engine::{Ended, Engine, Parts};
use crate::gate::{Command, Mode, Supervision};
use crate::ledger::Book;
use crate::ledger::recorder::Recorder;
use crate::observe::{CloudWatch, Objects, Observer, read_only};
use crate::world::apiserver::{ApiServer, StateFile};
use crate::world::scenario::{self, Scenario};
use crate::world::{Embedded, EmbeddedConfig, kept_time, pace};

/// Headless runs start here unless told otherwise, so that two of them are the same run.
const HEADLESS_START: &str = "2026-01-05T09:00:00Z";
const DASHBOARD_SPEED: u32 = 10;

/// Everything that was checked before anything starts.
struct Plan {
    scenario: Scenario,
    seed: u64,
    start: Timestamp,
    speed: Arc<AtomicU32>,
    listen: Option<std::net::SocketAddr>,
    kubeconfig: PathBuf,
    state: Option<StateFile>,
    recorder: Option<Recorder>,
    recording: Option<String>,
    supervision: Supervision,
    settings: crate::decide::Settings,
    until: Option<Timestamp>,
    die_after: Option<u64>,
    chaos: Option<u64>,
}

pub fn run(demo: &Demo, logging: &Logging, output: Option<Output>) -> Result<ExitCode, CliError> {
    let plan = check(demo)?;
    let quiet = !demo.headless;
    logging.start(quiet, crate::telemetry::LogFormat::Text, "warn")?;
    if demo.headless {
        run_headless(plan, output.unwrap_or(Output::Text))
    } else {
        run_dashboard(plan)
    }
}

fn check(demo: &Demo) -> Result<Plan, CliError> {
    use std::io::IsTerminal;
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if !(demo.headless || terminal) {
        return Err(CliError::Input(
            "this is no terminal: add --headless (and --for 20m) to run without one".into(),
        ));
    }
    let scenario = scenario::load(&demo.scenario).map_err(|e| CliError::Input(e.to_string()))?;
    let mut settings = demo.settings.clone();
    if let Some(gates) = &scenario.tuning.feature_gates {
        // Gates of the command line come later and win.
        let own = settings.feature_gates.unwrap_or_default();
        settings.feature_gates = Some(format!("{gates},{own}"));
    }
    let settings = settings.settings()?;
    let served = demo.listen.is_some() || !demo.headless;
    let speed = match demo.speed {
        Some(0) if served => {
            return Err(CliError::Input(
                "--speed max cannot be served to kubectl: choose 1x to 3600x, or leave --listen out".into(),
            ));
        }
        Some(speed) => speed,
        None if served => DASHBOARD_SPEED,
        None => 0,
    };
    let start = match demo.start {
        Some(start) => start,
        None if demo.headless => HEADLESS_START
            .parse()
            .map_err(|e| CliError::Outside(format!("the built-in start time is broken: {e}")))?,
        None => Timestamp::now(),
    };
    let state = match &demo.state {
        Some(dir) => Some(StateFile::open(dir).map_err(|e| CliError::Outside(e.to_string()))?),
        None => None,
    };
    let start = resumed_start(state.as_ref(), start)?;
    let until = match demo.for_ {
        Some(time) if time.is_negative() || time.is_zero() => {
            return Err(CliError::Input(
                "--for must be longer than nothing, such as 20m".into(),
            ));
        }
        Some(time) => Some(
            start
                .checked_add(time)
                .map_err(|e| CliError::Input(format!("--for: {e}")))?,
        ),
        None => None,
    };
    let recorder = supervised::recorder(demo.record.as_deref())?;
    let mode = if demo.autoscaler == Switch::Off {
        Mode::Observe
    } else {
        demo.mode
    };
    let kubeconfig = demo
        .kubeconfig_out
        .clone()
        .unwrap_or_else(|| state_dir().join("kubeconfig"));
    Ok(Plan {
        scenario,
        seed: demo.seed,
        start,
        speed: Arc::new(AtomicU32::new(speed)),
        listen: demo
            .listen
            .or_else(|| (!demo.headless).then(|| std::net::SocketAddr::from(([127, 0, 0, 1], 0)))),
        kubeconfig,
        state,
        recorder,
        recording: demo.record.as_ref().map(|p| p.display().to_string()),
        supervision: supervised::supervision(mode, &demo.policy, &demo.guard),
        settings,
        until,
        die_after: demo.die_after_effects,
        chaos: demo.chaos,
    })
}

/// Where simulated time stood when a kept world was last written; never before the asked start.
fn resumed_start(state: Option<&StateFile>, start: Timestamp) -> Result<Timestamp, CliError> {
    let Some(state) = state else { return Ok(start) };
    let kept = kept_time(state).map_err(|e| CliError::Outside(e.to_string()))?;
    Ok(kept.map_or(start, |t| t.max(start)))
}

/// `~/.local/state/kerf` by XDG's rules.
pub fn state_dir() -> PathBuf {
    let from = |key: &str| std::env::var_os(key).filter(|v| !v.is_empty()).map(PathBuf::from);
    from("XDG_STATE_HOME")
        .or_else(|| from("HOME").map(|h| h.join(".local/state")))
        .unwrap_or_else(std::env::temp_dir)
        .join("kerf")
}

fn run_headless(plan: Plan, output: Output) -> Result<ExitCode, CliError> {
    let start = plan.start;
    let (handle, desk) = pair();
    let runtime = supervised::runtime(true)?;
    let local = tokio::task::LocalSet::new();
    let listener = headless::listener(output, plan.die_after);
    let served = plan.listen.is_some();
    let said = move |kubeconfig: &Path| {
        if served {
            eprintln!("kerf: export KUBECONFIG={}", kubeconfig.display());
        }
    };
    let quitter = handle.clone();
    let (ended, api) = local.block_on(&runtime, async move {
        tokio::task::spawn_local(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                let _ = quitter.send("signal", Command::Quit);
            }
        });
        Box::pin(live(plan, desk, Some(listener), false, said)).await
    })?;
    drop(handle);
    let seconds = ended.view.now.duration_since(start).as_secs();
    let summary = headless::summary(&ended, seconds, writes(&api));
    let text = match output {
        Output::Json => format!("{summary}\n"),
        Output::Text => headless::summary_text(&summary),
    };
    supervised::recorded(&ended)?;
    print(&text)
}

/// A silent run of a scenario up to a simulated time, for one frame of it.
pub fn until(
    name: &str,
    seed: u64,
    mode: Mode,
    time: jiff::SignedDuration,
    settings: &SettingsArgs,
) -> Result<Ended, CliError> {
    let demo = Demo {
        scenario: name.to_owned(),
        seed,
        headless: true,
        for_: Some(time),
        mode,
        settings: settings.clone(),
        ..Demo::default()
    };
    let plan = check(&demo)?;
    let (_handle, desk) = pair();
    let runtime = supervised::runtime(true)?;
    tokio::task::LocalSet::new()
        .block_on(&runtime, live(plan, desk, None, false, |_| {}))
        .map(|(ended, _)| ended)
}

/// The engine has a thread of its own; this one belongs to the terminal.
fn run_dashboard(plan: Plan) -> Result<ExitCode, CliError> {
    super::face::dashboard(move |desk, mut started| {
        let runtime = supervised::runtime(true)?;
        let local = tokio::task::LocalSet::new();
        let live = live(plan, desk, None, true, move |_| started.now());
        local.block_on(&runtime, Box::pin(live)).map(|(ended, _)| ended)
    })
}

/// World, ports and engine on the calling thread's runtime, until told to stop.
async fn live(
    plan: Plan,
    desk: Desk,
    listener: Option<crate::ledger::book::Listener>,
    watched: bool,
    mut ready: impl FnMut(&Path),
) -> Result<(Ended, ApiServer), CliError> {
    let clock = Clock::starting_at(plan.start);
    let source = format!("demo:{}", plan.scenario.name);
    let world = Embedded::start(EmbeddedConfig {
        clock,
        seed: plan.seed,
        scenario: Some(plan.scenario),
        state: plan.state.clone(),
        chaos: plan.chaos,
    })
    .map_err(|e| CliError::Outside(e.to_string()))?;
    tokio::task::spawn_local(pace(clock, plan.speed.clone()));

    let (cluster, region) = (world.cluster_name.clone(), world.region.clone());
    let ec2 = Arc::new(world.ec2.clone());
    let mut settings = aws::Settings::new(&cluster, &region);
    // Where an EKS cluster would have them; the embedded kubelets only read them.
    settings.cluster_cidr = "10.100.0.0/16".into();
    settings.dns_ip = "10.100.0.10".into();
    settings.cluster_endpoint = "https://embedded.kerf.invalid".into();
    settings.cluster_ca = "a2VyZg==".into();
    let reading = aws::reader(ec2.clone(), settings.clone(), clock).with_queue(ec2.clone());
    let stock = reading.stock();
    let api = world.api.clone();
    let mut book = Book::new(plan.recorder, listener);
    if watched {
        book = book.keeping();
    }
    let host = &mut book.view_mut().host;
    host.recording = plan.recording;
    host.prices = "built-in 2026-07, spot synthetic".into();
    let mut serving = None;
    if let Some(addr) = plan.listen {
        let listening = world
            .api
            .listen(addr)
            .map_err(|e| CliError::Outside(e.to_string()))?;
        write_private(&plan.kubeconfig, &listening.kubeconfig)
            .map_err(|e| CliError::Outside(format!("kubeconfig {}: {e}", plan.kubeconfig.display())))?;
        host.kubeconfig = Some(plan.kubeconfig.display().to_string());
        serving = Some(listening);
    }
    ready(&plan.kubeconfig);
    let reader = read_only(world.api.client("kerf-reader"));
    let ended = Engine::run(Parts {
        clock,
        observer: Observer::start_with(&reader, clock, "", &supervised::unwatched(&plan.settings)),
        cloud: CloudWatch::new(Rc::new(reading) as Rc<dyn crate::cloud::CloudRead>, clock),
        objects: Objects::new(reader),
        actor: Some(Box::new(move || {
            let cloud = aws::writer(ec2.clone(), ec2.clone(), stock.clone(), settings.clone(), clock)
                .with_iam(ec2.clone());
            Actor::new(Writer::new(api.client("kerf")), Rc::new(cloud))
        })),
        book,
        desk,
        settings: plan.settings,
        supervision: plan.supervision,
        source: source.into(),
        region: region.as_str().into(),
        until: plan.until,
        speed: Some(plan.speed),
        stage: Some(Box::new(WorldStage(world.clone()))),
        watched,
        seat: None,
    })
    .await;
    drop(serving);
    Ok((ended, world.api.clone()))
}

/// Writing requests that the API server received from us, refused ones included.
fn writes(api: &ApiServer) -> u64 {
    let ours = api
        .writes()
        .into_iter()
        .filter(|(who, _)| who.starts_with("kerf"));
    ours.map(|(_, n)| n).sum()
}

/// A silent run with everything that it asked of the API server, by client.
#[cfg(test)]
pub(super) fn asked(demo: &Demo) -> Result<ApiServer, CliError> {
    let plan = check(demo)?;
    let (_handle, desk) = pair();
    let runtime = supervised::runtime(true)?;
    tokio::task::LocalSet::new()
        .block_on(&runtime, live(plan, desk, None, false, |_| {}))
        .map(|(_, api)| api)
}

/// Readable by its owner only; the folder is made when missing.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        std::fs::create_dir_all(dir)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
