//! Where the panes of a screen go.

use ratatui::layout::Rect;

use super::place::{Kind, Pane, Screen};

/// Below this only the header and one line are drawn.
pub const SMALLEST: (u16, u16) = (80, 24);
/// From here on panes are boxes beside each other.
pub const WIDE: u16 = 120;

/// Splits `area` into rows of these heights; the last takes what is left.
fn rows(area: Rect, heights: &[u16]) -> Vec<Rect> {
    let mut y = area.y;
    let mut out = Vec::new();
    for (i, h) in heights.iter().enumerate() {
        let left = area.bottom().saturating_sub(y);
        let height = if i + 1 == heights.len() {
            left
        } else {
            (*h).min(left)
        };
        out.push(Rect { y, height, ..area });
        y += height;
    }
    out
}

fn columns(area: Rect, widths: &[u16]) -> Vec<Rect> {
    let mut x = area.x;
    let mut out = Vec::new();
    for (i, w) in widths.iter().enumerate() {
        let left = area.right().saturating_sub(x);
        let width = if i + 1 == widths.len() {
            left
        } else {
            (*w).min(left)
        };
        out.push(Rect { x, width, ..area });
        x += width;
    }
    out
}

/// Panes side by side, for wide terminals.
pub fn wide(screen: &Screen, area: Rect) -> Vec<(Pane, Rect)> {
    let (w, h) = (area.width, area.height);
    let share = |all: u16, of: u16| u16::try_from(u32::from(all) * u32::from(of) / 100).unwrap_or(all);
    let grid = |lines: Vec<(u16, Vec<(Pane, u16)>)>| -> Vec<(Pane, Rect)> {
        let heights: Vec<u16> = lines.iter().map(|(h, _)| *h).collect();
        let mut out = Vec::new();
        for (line, area) in lines.iter().zip(rows(area, &heights)) {
            let widths: Vec<u16> = line.1.iter().map(|(_, w)| *w).collect();
            out.extend(line.1.iter().map(|(p, _)| *p).zip(columns(area, &widths)));
        }
        out
    };
    match screen.kind() {
        Kind::Overview => grid(vec![
            (
                share(h, 29),
                vec![(Pane::Pending, share(w, 45)), (Pane::Recent, w)],
            ),
            (share(h, 34), vec![(Pane::Nodes, w)]),
            (
                h,
                vec![
                    (Pane::Log, share(w, 28)),
                    (Pane::Chosen, w - share(w, 28) - 35),
                    (Pane::Cost, 35),
                ],
            ),
        ]),
        Kind::Pods => vec![(Pane::Pods, area)],
        Kind::Decisions => vec![(Pane::Decisions, area)],
        Kind::Nodes => vec![(Pane::NodeTable, area)],
        Kind::Log => vec![(Pane::LogTable, area)],
        Kind::Page => vec![(Pane::Page, area)],
        Kind::Timeline => vec![(Pane::Lanes, area)],
        Kind::Pools => grid(vec![
            (share(h, 30), vec![(Pane::PoolTable, w)]),
            (
                share(h, 35),
                vec![(Pane::PoolSums, w / 2), (Pane::PoolBudgets, w)],
            ),
            (h, vec![(Pane::PoolNodes, w)]),
        ]),
        Kind::Types => grid(vec![
            (h.saturating_sub(11), vec![(Pane::TypeTable, w)]),
            (h, vec![(Pane::TypeSums, w)]),
        ]),
        Kind::Review => grid(vec![
            (share(h, 18).max(5), vec![(Pane::Waiting, w)]),
            (share(h, 29), vec![(Pane::Before, w / 2), (Pane::After, w)]),
            (share(h, 35), vec![(Pane::Moves, share(w, 64)), (Pane::Why, w)]),
            (h, vec![(Pane::Consequence, w)]),
        ]),
        Kind::Pod => grid(vec![
            (9, vec![(Pane::PodHead, w)]),
            (share(h, 21), vec![(Pane::PodPools, w)]),
            (8, vec![(Pane::PodFit, w)]),
            (share(h, 25), vec![(Pane::PodNodes, w)]),
            (h, vec![(Pane::PodHistory, w)]),
        ]),
        Kind::Decision => grid(vec![
            (10, vec![(Pane::DecisionHead, w)]),
            (
                share(h, 47),
                vec![(Pane::Ranking, share(w, 64)), (Pane::Rejected, w)],
            ),
            (h, vec![(Pane::Steps, w)]),
        ]),
        Kind::Node => grid(vec![
            (11, vec![(Pane::NodeHead, w)]),
            (share(h, 45), vec![(Pane::NodePods, w)]),
            (h, vec![(Pane::NodeHistory, w)]),
        ]),
    }
}

/// Panes under each other, from the top, and how many lines each shows when the keys are elsewhere.
fn closed(screen: &Screen) -> &'static [(Pane, u16)] {
    match screen.kind() {
        Kind::Overview => &[
            (Pane::Pending, 2),
            (Pane::Recent, 2),
            (Pane::Nodes, 3),
            (Pane::Chosen, 0),
            (Pane::Log, 1),
            (Pane::Cost, 0),
        ],
        Kind::Pods => &[(Pane::Pods, 0)],
        Kind::Decisions => &[(Pane::Decisions, 0)],
        Kind::Nodes => &[(Pane::NodeTable, 0)],
        Kind::Log => &[(Pane::LogTable, 0)],
        Kind::Page => &[(Pane::Page, 0)],
        Kind::Timeline => &[(Pane::Lanes, 0)],
        Kind::Pools => &[
            (Pane::PoolTable, 4),
            (Pane::PoolSums, 3),
            (Pane::PoolBudgets, 3),
            (Pane::PoolNodes, 3),
        ],
        Kind::Types => &[(Pane::TypeTable, 4), (Pane::TypeSums, 4)],
        Kind::Review => &[
            (Pane::Waiting, 2),
            (Pane::Before, 2),
            (Pane::After, 2),
            (Pane::Moves, 3),
            (Pane::Why, 2),
            (Pane::Consequence, 1),
        ],
        Kind::Pod => &[
            (Pane::PodHead, 3),
            (Pane::PodPools, 3),
            (Pane::PodFit, 2),
            (Pane::PodNodes, 2),
            (Pane::PodHistory, 1),
        ],
        Kind::Decision => &[
            (Pane::DecisionHead, 4),
            (Pane::Ranking, 4),
            (Pane::Rejected, 2),
            (Pane::Steps, 3),
        ],
        Kind::Node => &[(Pane::NodeHead, 5), (Pane::NodePods, 4), (Pane::NodeHistory, 3)],
    }
}

/// One pane open, the others at their headline and a few lines.
pub fn narrow(screen: &Screen, focus: Pane, area: Rect) -> Vec<(Pane, Rect)> {
    let all = closed(screen);
    let others: u16 = all.iter().filter(|(p, _)| *p != focus).map(|(_, n)| n + 1).sum();
    // When even that is too much, closed panes keep their headline only.
    let tight = others + 5 > area.height;
    let height = |p: Pane, n: u16| match (p == focus, tight) {
        (false, false) => n + 1,
        (false, true) => 1,
        (true, false) => area.height - others,
        (true, true) => area
            .height
            .saturating_sub(u16::try_from(all.len()).unwrap_or(u16::MAX) - 1),
    };
    let mut y = area.y;
    let mut out = Vec::new();
    for (pane, n) in all {
        let h = height(*pane, *n).min(area.bottom().saturating_sub(y));
        out.push((*pane, Rect { y, height: h, ..area }));
        y += h;
    }
    out
}
