//! Tables that format only the rows they show.

use ratatui::layout::Rect;

use super::bar::bar;
use crate::ui::canvas::{Canvas, Line};
use crate::ui::theme::{Tone, load};
use crate::words;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub title: &'static str,
    /// Name in filters and for sorting, see `Filter`.
    pub field: &'static str,
    pub width: u16,
    pub align: Align,
    /// 0 stays; of the others the highest goes first when there is no room.
    pub rank: u8,
    /// Takes a part of the room that is left over.
    pub grows: bool,
    /// What does not fit is cut out of the middle.
    pub middle: bool,
}

impl Column {
    pub const fn left(title: &'static str, field: &'static str, width: u16) -> Self {
        Self {
            title,
            field,
            width,
            align: Align::Left,
            rank: 0,
            grows: false,
            middle: false,
        }
    }

    pub const fn right(title: &'static str, field: &'static str, width: u16) -> Self {
        Self {
            title,
            field,
            width,
            align: Align::Right,
            rank: 0,
            grows: false,
            middle: false,
        }
    }

    pub const fn middle(mut self) -> Self {
        self.middle = true;
        self
    }

    pub const fn rank(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }

    pub const fn grows(mut self) -> Self {
        self.grows = true;
        self
    }
}

#[derive(Clone, Debug)]
pub enum Cell {
    Text(String, Tone),
    Line(Line),
    /// A bin-packing bar with its percentage.
    Share(f64),
    /// The same in one colour: a share of a limit, where full is not good.
    Fill(f64),
}

impl Cell {
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Text(text.into(), Tone::Plain)
    }

    pub fn dim(text: impl Into<String>) -> Self {
        Self::Text(text.into(), Tone::Dim)
    }

    /// What a filter reads.
    pub fn words(&self) -> String {
        match self {
            Self::Text(text, _) => text.clone(),
            Self::Line(line) => line.iter().map(|(text, _)| text.as_str()).collect(),
            Self::Share(share) | Self::Fill(share) => words::percent(*share),
        }
    }
}

/// Which part of a list is on the screen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown {
    pub first: usize,
    pub last: usize,
    pub total: usize,
}

impl Shown {
    /// `11-20/55`, or nothing when all is there.
    pub fn place(&self) -> String {
        if self.last - self.first >= self.total {
            String::new()
        } else {
            format!("{}-{}/{}", self.first + 1, self.last, self.total)
        }
    }
}

/// The rows of a list of `total` that fit into `height` with the cursor among them.
pub fn window(total: usize, cursor: usize, height: usize) -> Shown {
    let first = cursor
        .saturating_sub(height / 2)
        .min(total.saturating_sub(height));
    Shown {
        first,
        last: (first + height).min(total),
        total,
    }
}

/// What a table looks like, apart from its rows.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    pub layout: &'a [Column],
    pub heading: bool,
    pub total: usize,
    pub cursor: Option<usize>,
    pub focused: bool,
}

/// Draws heading and rows; `row(i)` is asked only for what is visible. `cursor` is the row with the sign, lit when
/// `focused`.
pub fn table(
    c: &mut Canvas<'_>,
    area: Rect,
    look: &Look<'_>,
    mut row: impl FnMut(usize) -> Vec<Cell>,
) -> Shown {
    let Look {
        layout,
        heading,
        total,
        cursor,
        focused,
    } = *look;
    if area.width < 3 || area.height == 0 {
        return Shown {
            total,
            ..Shown::default()
        };
    }
    let widths = fit(layout, area.width.saturating_sub(1));
    let mut y = area.y;
    if heading && area.height > 1 {
        let mut x = area.x + 1;
        for (column, width) in layout.iter().zip(&widths) {
            let Some(width) = *width else { continue };
            match column.align {
                Align::Left => drop(c.text(x, y, width, column.title, Tone::Dim)),
                Align::Right => c.right(x, y, width, column.title, Tone::Dim),
            }
            x += width + 1;
        }
        y += 1;
    }
    let height = area.bottom().saturating_sub(y);
    // What nobody looks through shows its top, where the news is.
    let at = cursor.filter(|_| focused).unwrap_or(0);
    let shown = window(total, at, usize::from(height));
    for i in shown.first..shown.last {
        let cells = row(i);
        let mut x = area.x + 1;
        for ((column, width), cell) in layout.iter().zip(&widths).zip(&cells) {
            let Some(width) = *width else { continue };
            draw(c, x, y, width, column, cell);
            x += width + 1;
        }
        if cursor == Some(i) && focused {
            let style = c.theme.cursor();
            c.tint(Rect { y, height: 1, ..area }, style);
            c.text(area.x, y, 1, "▌", Tone::Focus);
        }
        y += 1;
    }
    shown
}

fn draw(c: &mut Canvas<'_>, x: u16, y: u16, width: u16, column: &Column, cell: &Cell) {
    match cell {
        Cell::Text(text, tone) if column.align == Align::Right => c.right(x, y, width, text, *tone),
        Cell::Text(text, tone) if column.middle => {
            let text = words::clean(text);
            c.text(x, y, width, &words::fit_middle(&text, usize::from(width)), *tone);
        }
        Cell::Text(text, tone) => drop(c.text(x, y, width, text, *tone)),
        Cell::Line(line) => drop(c.line(x, y, width, line)),
        Cell::Share(share) => meter(c, x, y, width, *share, load(*share)),
        Cell::Fill(share) => meter(
            c,
            x,
            y,
            width,
            *share,
            if *share >= 1.0 { Tone::Warn } else { Tone::Accent },
        ),
    }
}

/// A bar and `100%` behind it, in `width` columns.
pub fn meter(c: &mut Canvas<'_>, x: u16, y: u16, width: u16, share: f64, tone: Tone) {
    let cells = width.saturating_sub(5);
    if cells >= 3 {
        c.text(x, y, cells, &bar(share, usize::from(cells)), tone);
    }
    c.right(x, y, width, &words::percent(share), Tone::Plain);
}

/// Widths that fill `room`; `None` for a column that found none.
fn fit(layout: &[Column], room: u16) -> Vec<Option<u16>> {
    let mut widths: Vec<Option<u16>> = layout.iter().map(|c| Some(c.width)).collect();
    let needed = |widths: &[Option<u16>]| -> u16 {
        let shown = widths.iter().flatten();
        let n = u16::try_from(shown.clone().count()).unwrap_or(u16::MAX);
        shown
            .fold(0_u16, |a, w| a.saturating_add(*w))
            .saturating_add(n.saturating_sub(1))
    };
    while needed(&widths) > room {
        let goes = layout
            .iter()
            .enumerate()
            .filter(|(i, c)| c.rank > 0 && widths.get(*i).is_some_and(Option::is_some))
            .max_by_key(|(i, c)| (c.rank, *i))
            .map(|(i, _)| i);
        match goes.and_then(|i| widths.get_mut(i)) {
            Some(width) => *width = None,
            None => break,
        }
    }
    // What cannot be dropped shrinks.
    let over = needed(&widths).saturating_sub(room);
    if over > 0
        && let Some((_, Some(width))) = layout
            .iter()
            .zip(widths.iter_mut())
            .find(|(c, w)| c.grows && w.is_some())
    {
        *width = width.saturating_sub(over).max(6);
    }
    let spare = room.saturating_sub(needed(&widths));
    let growing = layout
        .iter()
        .zip(&widths)
        .filter(|(c, w)| c.grows && w.is_some())
        .count();
    if spare > 0 && growing > 0 {
        let part = spare / u16::try_from(growing).unwrap_or(1);
        let mut first = spare - part * u16::try_from(growing).unwrap_or(1);
        for (_, width) in layout
            .iter()
            .zip(widths.iter_mut())
            .filter(|(c, w)| c.grows && w.is_some())
        {
            if let Some(w) = width {
                *w += part + first;
                first = 0;
            }
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: [Column; 3] = [
        Column::left("NAME", "name", 10).grows(),
        Column::left("ZONE", "zone", 4).rank(1),
        Column::right("PRICE", "price", 8).rank(2),
    ];

    #[test]
    fn columns_go_in_order_of_rank_and_the_rest_grows() {
        assert_eq!(fit(&LAYOUT, 24), [Some(10), Some(4), Some(8)]);
        assert_eq!(fit(&LAYOUT, 30), [Some(16), Some(4), Some(8)]);
        assert_eq!(fit(&LAYOUT, 20), [Some(15), Some(4), None]);
        assert_eq!(fit(&LAYOUT, 11), [Some(11), None, None]);
        assert_eq!(fit(&LAYOUT, 8), [Some(8), None, None]);
    }

    #[test]
    fn the_cursor_is_always_in_the_window() {
        for (total, cursor, height) in [
            (100, 0, 10),
            (100, 50, 10),
            (100, 99, 10),
            (3, 2, 10),
            (0, 0, 5),
            (9, 8, 1),
        ] {
            let w = window(total, cursor, height);
            assert!(
                total == 0 || (w.first..w.last).contains(&cursor),
                "{total} {cursor} {height}: {w:?}"
            );
            assert_eq!(w.last - w.first, total.min(height));
        }
    }
}
