//! Entries that take as many lines as their text needs, for narrow panes.

use ratatui::layout::Rect;

use super::table::Shown;
use crate::ui::canvas::{Canvas, Line, wrap};
use crate::ui::theme::Tone;

/// Draws entries under each other; `entry(i)` is asked only for what may be visible. The one at `cursor` is always
/// among them, lit when `focused`.
pub fn flow(
    c: &mut Canvas<'_>,
    area: Rect,
    total: usize,
    cursor: Option<usize>,
    focused: bool,
    entry: impl Fn(usize) -> Line,
) -> Shown {
    let height = usize::from(area.height);
    let folded = |i: usize| wrap(vec![entry(i)], usize::from(area.width.saturating_sub(1)));
    // From the top when the cursor is seen from there, else with the cursor as the last entry.
    let at = cursor
        .filter(|_| focused)
        .unwrap_or(0)
        .min(total.saturating_sub(1));
    let mut first = at;
    let mut used = if total == 0 { 0 } else { folded(at).len() };
    while first > 0 {
        used += folded(first - 1).len();
        if used > height {
            break;
        }
        first -= 1;
    }
    let mut y = area.y;
    let mut last = first;
    while last < total && y < area.bottom() {
        for line in folded(last) {
            if y >= area.bottom() {
                break;
            }
            c.line(area.x + 1, y, area.width.saturating_sub(1), &line);
            if focused && cursor == Some(last) {
                let style = c.theme.cursor();
                c.tint(Rect { y, height: 1, ..area }, style);
                c.text(area.x, y, 1, "▌", Tone::Focus);
            }
            y += 1;
        }
        last += 1;
    }
    Shown { first, last, total }
}
