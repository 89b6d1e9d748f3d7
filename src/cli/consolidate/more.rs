//! What `kerf consolidate` shows on request: destinations, the budgets of the coming days, what edits would make drift.

use std::fmt::Write;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::destinations;
use crate::cli::CliError;
use crate::cli::args::Consolidate;
use crate::cli::inputs::Ready;
use crate::decide::disruption::{self, Cluster, Force, Scope, Span, Stays, WouldDrift};
use crate::model::{Name, UsdPerHour};
use crate::observe::files::{self, Source};
use crate::words;

/// How far the budget timeline looks.
const HOURS: i64 = 72;

/// All that was asked for.
#[derive(Debug, Default)]
pub struct More {
    pub destinations: Option<Vec<(Name, Stays)>>,
    pub budgets: Option<Vec<Span>>,
    pub drift: Option<Vec<WouldDrift>>,
}

/// The scope of `--force`, once it is sure that it exists.
pub fn force(args: &Consolidate, ready: &Ready) -> Result<Option<Force>, CliError> {
    let Some(scope) = &args.force else { return Ok(None) };
    let missing = match scope {
        Scope::All => None,
        Scope::Pool(pool) => {
            let there = ready.snapshot.pools.contains_key(pool);
            (!there).then(|| format!("--force pool={pool}: there is no such NodePool in the manifests"))
        }
        Scope::Node(node) => {
            let there = ready.snapshot.nodes.contains_key(node);
            (!there).then(|| format!("--force node={node}: there is no such Node in the manifests"))
        }
    };
    match missing {
        Some(text) => Err(CliError::Input(text)),
        None => Ok(Some(Force {
            scope: scope.clone(),
            ignore_budgets: args.ignore_budgets,
        })),
    }
}

/// Works out what the flags ask for.
pub fn more(args: &Consolidate, ready: &Ready) -> Result<More, CliError> {
    let mut out = More::default();
    if args.explain {
        let cluster = Cluster::new(&ready.snapshot, ready.now);
        let nodes = ready.snapshot.nodes.keys();
        out.destinations = Some(
            nodes
                .filter_map(|n| {
                    let stays = disruption::destinations(&cluster, n, &ready.settings)?;
                    Some((n.clone(), stays))
                })
                .collect(),
        );
    }
    if args.budgets {
        let length = SignedDuration::from_hours(HOURS);
        out.budgets = Some(disruption::timelines(&ready.snapshot, ready.now, length));
    }
    if !args.preview.is_empty() {
        out.drift = Some(preview(args, ready)?);
    }
    Ok(out)
}

fn preview(args: &Consolidate, ready: &Ready) -> Result<Vec<WouldDrift>, CliError> {
    let sources: Vec<Source> = args.preview.iter().map(|f| Source::from_arg(f)).collect();
    let edited = files::load(&sources).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        CliError::Input(lines.join("\n"))
    })?;
    let pools: Vec<_> = edited.snapshot.pools.values().cloned().collect();
    let classes: Vec<_> = edited.snapshot.classes.values().cloned().collect();
    if pools.is_empty() && classes.is_empty() {
        return Err(CliError::Input(format!(
            "--preview {}: no NodePool and no EC2NodeClass in it; give the edited manifests",
            args.preview.join(" ")
        )));
    }
    Ok(disruption::preview(&ready.snapshot, &pools, &classes, ready.now))
}

/// Adds what was asked for to the document.
pub fn add_to(json: &mut Value, more: &More) {
    if let Some(budgets) = &more.budgets {
        json["budgets"] = json!(budgets);
    }
    if let Some(drift) = &more.drift {
        json["driftPreview"] = json!(drift);
    }
    let Some(all) = &more.destinations else { return };
    for row in json["candidates"].as_array_mut().into_iter().flatten() {
        let node = row["node"].as_str().unwrap_or("").to_owned();
        if let Some((_, stays)) = all.iter().find(|(n, _)| **n == *node) {
            row["savesPerHour"] = json!(stays.saves);
            row["pods"] = destinations::json(stays);
        }
    }
}

/// The same for a terminal.
pub fn text(more: &More) -> String {
    // Writing to a String cannot fail.
    let mut out = String::new();
    for (node, stays) in more.destinations.iter().flatten() {
        let _ = writeln!(
            out,
            "\n{}  saves {} if it goes",
            words::clean(node),
            words::price(stays.saves)
        );
        for line in destinations::lines(stays) {
            let _ = writeln!(out, "  {line}");
        }
    }
    if let Some(spans) = &more.budgets {
        let _ = writeln!(out, "\nbudgets, next {HOURS} h (UTC)");
        for s in spans {
            let allowed = s
                .allowed
                .map_or_else(|| "no limit".to_owned(), |n| words::plural(n as usize, "node"));
            let line = s.budget.map_or_else(String::new, |i| format!("  budgets[{i}]"));
            let _ = writeln!(
                out,
                "  {} {:<13} {} to {}  {allowed}{line}",
                words::clean(&s.node_pool),
                s.reason,
                s.from.strftime("%a %H:%M"),
                s.until.strftime("%a %H:%M"),
            );
        }
    }
    if let Some(drift) = &more.drift {
        let _ = writeln!(out, "{}", drift_text(drift));
    }
    out
}

fn drift_text(drift: &[WouldDrift]) -> String {
    if drift.is_empty() {
        return "\nno node would drift".to_owned();
    }
    let price: UsdPerHour = drift.iter().map(|d| d.price_per_hour).sum();
    let pods: usize = drift.iter().map(|d| d.pods).sum();
    let mut out = format!(
        "\n{} would drift: {} and {} move",
        words::plural(drift.len(), "node"),
        words::plural(pods, "pod"),
        words::price(price)
    );
    for d in drift {
        let sure = if d.certain {
            ""
        } else {
            " (perhaps: the account tells)"
        };
        let _ = write!(
            out,
            "\n  {}  {} by {}{sure}, {}, {}",
            words::clean(&d.node),
            d.reason,
            words::clean(&d.field),
            words::plural(d.pods, "pod"),
            words::price(d.price_per_hour)
        );
    }
    out
}

/// `cluster`, `pool=NAME` or `node=NAME`.
pub fn parse_scope(text: &str) -> Result<Scope, String> {
    match text.split_once('=') {
        None if text == "cluster" => Ok(Scope::All),
        Some(("pool", name)) if !name.is_empty() => Ok(Scope::Pool(name.into())),
        Some(("node", name)) if !name.is_empty() => Ok(Scope::Node(name.into())),
        _ => Err("use cluster, pool=NAME or node=NAME".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::consolidate::{Facts, to_json};
    use crate::decide::testing::{World, at};
    use crate::decide::{Fuel, Settings};

    #[test]
    fn scopes_are_read_strictly() {
        assert_eq!(parse_scope("cluster"), Ok(Scope::All));
        assert_eq!(parse_scope("pool=web"), Ok(Scope::Pool("web".into())));
        assert_eq!(parse_scope("node=n1"), Ok(Scope::Node("n1".into())));
        for bad in ["", "pool", "pool=", "node=", "everything", "zone=a"] {
            assert!(parse_scope(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_asked_for_is_added() {
        let mut world = World::new();
        world.machine("full", "m5.large");
        world.machine("other", "m5.large");
        world.pod("a", Some("full"), 1900, |_| {});
        world.pod("b", Some("other"), 1900, |_| {});
        let settings = Settings::default();
        let outcome = disruption::once(&world.snapshot, at(0), &settings, &mut Fuel::UNLIMITED.clone());
        let cluster = Cluster::new(&world.snapshot, at(0));
        let stays = disruption::destinations(&cluster, "full", &settings).expect("a node");
        let more = More {
            destinations: Some(vec![("full".into(), stays)]),
            budgets: Some(disruption::timelines(
                &world.snapshot,
                at(0),
                SignedDuration::from_hours(HOURS),
            )),
            drift: Some(Vec::new()),
        };
        let mut json = to_json(&outcome, &Facts::default());
        add_to(&mut json, &more);
        let row = &json["candidates"][0];
        assert_eq!(
            (&row["node"], &row["savesPerHour"]),
            (&json!("full"), &json!(0.096))
        );
        let pod = &row["pods"][0];
        assert_eq!((&pod["pod"], &pod["roomOn"]), (&json!("ns/a"), &json!([])));
        assert_eq!(pod["nearestMiss"]["node"], "other");
        assert_eq!(pod["nearestMiss"]["code"], "resources");
        assert_eq!(
            json["budgets"].as_array().map(Vec::len),
            Some(3),
            "one span a reason"
        );
        assert_eq!(json["budgets"][0]["allowed"], 2);
        assert_eq!(json["driftPreview"], json!([]));
        let text = text(&more);
        assert!(text.contains("full  saves"), "{text}");
        assert!(text.contains("nearest miss other"), "{text}");
        assert!(text.contains("no node would drift"), "{text}");
    }
}
