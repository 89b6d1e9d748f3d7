//! A titled frame: a box where there is room, a rule where there is not.

use ratatui::layout::Rect;

use crate::ui::canvas::{Canvas, columns};
use crate::ui::theme::Tone;

/// What stands on the frame.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    pub title: String,
    /// At the right of the title line.
    pub note: String,
    /// Keys, on the lower border of a box.
    pub foot: String,
    /// Position in a list, at the right of the lower border.
    pub place: String,
    pub focused: bool,
    pub boxed: bool,
}

/// The room inside of a frame. Its first column belongs to the cursor sign.
pub fn inner(area: Rect, boxed: bool) -> Rect {
    if boxed {
        Rect {
            x: area.x.saturating_add(1),
            y: area.y.saturating_add(1),
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(2),
        }
    } else {
        Rect {
            y: area.y.saturating_add(1),
            height: area.height.saturating_sub(1),
            ..area
        }
    }
}

pub fn frame(c: &mut Canvas<'_>, area: Rect, f: &Frame) {
    if area.width < 4 || area.height == 0 {
        return;
    }
    let tone = if f.focused { Tone::Focus } else { Tone::Border };
    let heading = if f.focused { Tone::Focus } else { Tone::Strong };
    if f.boxed {
        sides(c, area, tone);
        edge(
            c,
            area,
            area.y,
            ['┌', '─', '┐'],
            (&f.title, heading),
            (&f.note, Tone::Dim),
            tone,
        );
        if area.height > 1 {
            let y = area.bottom() - 1;
            edge(
                c,
                area,
                y,
                ['└', '─', '┘'],
                (&f.foot, Tone::Dim),
                (&f.place, Tone::Dim),
                tone,
            );
        }
    } else {
        let rule = if f.focused { '━' } else { '─' };
        let mut title = f.title.clone();
        if !f.note.is_empty() {
            title = format!("{title} {rule} {}", f.note);
        }
        c.repeat(area.x, area.y, area.width, rule, tone);
        let room = area.width.saturating_sub(4);
        let used = c.text(area.x + 2, area.y, room, &title, heading);
        c.text(area.x + 1, area.y, 1, " ", tone);
        c.text(area.x + 2 + used, area.y, 1, " ", tone);
    }
}

fn sides(c: &mut Canvas<'_>, area: Rect, tone: Tone) {
    for y in area.y..area.bottom() {
        c.text(area.x, y, 1, "│", tone);
        c.text(area.right() - 1, y, 1, "│", tone);
    }
}

/// One horizontal border with a text at each end; the right one gives way.
fn edge(
    c: &mut Canvas<'_>,
    area: Rect,
    y: u16,
    signs: [char; 3],
    left: (&str, Tone),
    right: (&str, Tone),
    tone: Tone,
) {
    let [first, fill, last] = signs;
    c.repeat(area.x, y, area.width, fill, tone);
    c.text(area.x, y, 1, &first.to_string(), tone);
    c.text(area.right() - 1, y, 1, &last.to_string(), tone);
    // Corner, one dash and a space on either side of the text.
    let room = area.width.saturating_sub(6);
    let mut used = 0;
    if !left.0.is_empty() && room > 0 {
        c.text(area.x + 2, y, 1, " ", tone);
        used = c.text(area.x + 3, y, room, left.0, left.1);
        c.text(area.x + 3 + used, y, 1, " ", tone);
    }
    let w = columns(right.0);
    if !right.0.is_empty() && used + w + 4 <= room {
        let x = area.right() - 3 - w;
        c.text(x - 1, y, 1, " ", tone);
        c.text(x, y, w, right.0, right.1);
        c.text(x + w, y, 1, " ", tone);
    }
}
