//! A plan for a person's eyes: what is bought, what fits as it is, what has no place and what would help.

use std::collections::BTreeMap;

use super::explained::{Explained, Group};
use super::why;
use super::{Facts, cost};
use crate::cli::paper::{Paper, Table, Tone};
use crate::decide::scheduling::{Planned, Solution};
use crate::model::UsdPerHour;
use crate::words;

/// Remedies shown of one group; more with `--explain`.
const REMEDIES: usize = 2;
/// Groups of equal pods shown without `--explain`.
const GROUPS: usize = 20;

pub fn to_text(solution: &Solution, explained: &Explained, facts: &Facts, paper: &Paper) -> String {
    let mut out = headline(solution, paper);
    if !solution.claims.is_empty() {
        out.push_str(&claims(&solution.claims).draw(2, paper));
    }
    let on_existing: usize = solution.existing.values().map(Vec::len).sum();
    if on_existing > 0 {
        let verb = if on_existing == 1 { "fits" } else { "fit" };
        out.push_str(&format!(
            "{} {verb} {} that {} there\n",
            words::plural(on_existing, "pod"),
            words::plural(solution.existing.len(), "node"),
            if solution.existing.len() == 1 { "is" } else { "are" }
        ));
        for (node, pods) in solution
            .existing
            .iter()
            .take(if explained.whole { usize::MAX } else { 5 })
        {
            out.push_str(&paper.labelled(2, words::node(node), Tone::Plain, &words::list(pods, 4)));
        }
    }
    for (buffer, room) in &facts.rooms {
        let text = format!(
            "buffer {buffer}: {} fit nodes that are there, {} need new nodes, {} have no place",
            room.existing, room.new, room.failed
        );
        out.push_str(&format!("{}\n", paper.paint(Tone::Plain, &text)));
    }
    if !solution.deferred.is_empty() {
        let verb = if solution.deferred.len() == 1 {
            "waits"
        } else {
            "wait"
        };
        out.push_str(&format!(
            "{} {verb} until the reserved capacity within reach is settled\n",
            words::plural(solution.deferred.len(), "pod")
        ));
    }
    out.push_str(&cost::text(solution, facts));
    relaxed(solution, paper, &mut out);
    left_over(solution, explained, paper, &mut out);
    if explained.whole {
        for planned in distinct(&solution.claims) {
            out.push('\n');
            out.push_str(&why::claim(planned.0, planned.1, paper));
        }
        if !explained.costs.is_empty() {
            out.push_str(&format!(
                "\n{}\n",
                paper.paint(Tone::Strong, "What constraints cost")
            ));
            for (pod, cost) in &explained.costs {
                let tone = if cost.usd_per_hour > UsdPerHour::ZERO || cost.more_placed > 0 {
                    Tone::Warn
                } else {
                    Tone::Dim
                };
                let whose = if cost.change.is_of_pod() {
                    format!("  ({pod})")
                } else {
                    String::new()
                };
                out.push_str(&format!(
                    "  {}{}\n",
                    paper.paint(tone, &words::cost(cost)),
                    paper.paint(Tone::Dim, &whose)
                ));
            }
        }
    }
    out
}

fn headline(solution: &Solution, paper: &Paper) -> String {
    let pods: usize = solution.claims.iter().map(|c| c.draft.pods.len()).sum();
    let text = format!(
        "{} for {}, {}",
        words::plural(solution.claims.len(), "new node"),
        words::plural(pods, "pod"),
        words::price(solution.price())
    );
    format!("{}\n", paper.paint(Tone::Strong, &text))
}

/// Claims that differ in nothing that the table shows are one, with their number.
fn distinct(claims: &[Planned]) -> Vec<(&Planned, usize)> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut out: Vec<(&Planned, usize)> = Vec::new();
    for planned in claims {
        let d = &planned.draft;
        let launch = d.expected.as_ref().map(words::launch).unwrap_or_default();
        let key = format!(
            "{}|{launch}|{}|{}|{}",
            d.pool,
            d.pods.len(),
            d.requests,
            d.instance_types.len()
        );
        if let Some(one) = known.get(&key).and_then(|i| out.get_mut(*i)) {
            one.1 += 1;
        } else {
            known.insert(key, out.len());
            out.push((planned, 1));
        }
    }
    out
}

fn claims(claims: &[Planned]) -> Table {
    let mut table = Table::default()
        .right("")
        .shrinking("NODECLAIM")
        .shrinking("NODEPOOL")
        .left("TYPE")
        .left("CAPACITY")
        .left("ZONE")
        .right("$/h")
        .right("PODS")
        .right("CPU")
        .right("FULL")
        .right("MEMORY")
        .right("FULL")
        .right("OPTIONS");
    for (planned, n) in distinct(claims) {
        let draft = &planned.draft;
        let plain = |text: String| (text, Tone::Plain);
        let full = |part: i64, of: fn(&crate::model::Resources) -> i64| {
            let room = planned.evidence.ranking.first().map_or(0, |r| of(&r.allocatable));
            let text = if room > 0 {
                words::percent(words::share(part, room))
            } else {
                String::new()
            };
            (text, Tone::Dim)
        };
        let launch = draft.expected.as_ref();
        table.row([
            plain(if n > 1 { format!("{n}×") } else { String::new() }),
            plain(draft.name.to_string()),
            plain(draft.pool.to_string()),
            (
                launch.map_or("none to be had", |e| &*e.instance_type).to_owned(),
                Tone::Strong,
            ),
            plain(launch.map_or("", |e| e.capacity_type.as_str()).to_owned()),
            plain(launch.map_or("", |e| &*e.zone).to_owned()),
            plain(launch.map_or_else(String::new, |e| words::price_bare(e.price_per_hour))),
            plain(draft.pods.len().to_string()),
            plain(words::cpu(draft.requests.cpu)),
            full(draft.requests.cpu, |r| r.cpu),
            plain(words::memory(draft.requests.memory)),
            full(draft.requests.memory, |r| r.memory),
            (draft.instance_types.len().to_string(), Tone::Dim),
        ]);
    }
    table
}

fn relaxed(solution: &Solution, paper: &Paper, out: &mut String) {
    if solution.relaxed.is_empty() {
        return;
    }
    let pods: usize = solution.relaxed.iter().map(|r| r.pods.len()).sum();
    out.push_str(&format!(
        "{} did not get all they prefer\n",
        words::plural(pods, "pod")
    ));
    for one in solution.relaxed.iter().take(GROUPS) {
        let what: Vec<String> = one.dropped.iter().map(words::preference).collect();
        let text = format!("{}: {}", words::list(&one.pods, 2), what.join(", "));
        out.push_str(&paper.labelled(2, "gave up", Tone::Plain, &text));
    }
}

fn left_over(solution: &Solution, explained: &Explained, paper: &Paper, out: &mut String) {
    if solution.unschedulable.is_empty() {
        return;
    }
    let n = solution.unschedulable.len();
    let verb = if n == 1 { "has" } else { "have" };
    let head = format!("{} {verb} no place", words::plural(n, "pod"));
    out.push_str(&format!("{}\n", paper.paint(Tone::Bad, &head)));
    let most = if explained.whole { usize::MAX } else { GROUPS };
    for group in explained.groups.iter().take(most) {
        out.push_str(&one_group(group, explained.whole, paper));
    }
    let hidden: usize = explained.groups.iter().skip(most).map(|g| g.pods.len()).sum();
    if hidden > 0 {
        let more = format!(
            "  and {} for other reasons: --explain shows all\n",
            words::plural(hidden, "more")
        );
        out.push_str(&more.replace("mores", "more"));
    }
}

fn one_group(group: &Group, whole: bool, paper: &Paper) -> String {
    let first = group.pods.first().map_or("", |p| &**p);
    let more = match group.pods.len() {
        0 | 1 => String::new(),
        n => format!(" and {} like it", n - 1),
    };
    let mut out = format!(
        "  {} {}{}\n",
        paper.paint(Tone::Bad, "✗"),
        paper.paint(Tone::Strong, first),
        paper.paint(Tone::Plain, &more)
    );
    match &group.asked {
        Some(asked) => out.push_str(&why::places(&group.told, asked, 4, paper)),
        None => out.push_str(&paper.labelled(4, "why", Tone::Plain, &words::unschedulable(&group.told))),
    }
    out.push_str(&why::remedies(
        &group.remedies,
        if whole { usize::MAX } else { REMEDIES },
        4,
        paper,
    ));
    out
}
