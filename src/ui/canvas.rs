//! The one way to put text on the screen: cleaned, cut to its room, in the theme's colours.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::theme::{self, Theme, Tone};
use crate::words;

/// One line in pieces of different tone.
pub type Line = Vec<(String, Tone)>;

pub struct Canvas<'a> {
    pub buffer: &'a mut Buffer,
    pub theme: Theme,
}

impl Canvas<'_> {
    pub fn area(&self) -> Rect {
        self.buffer.area
    }

    /// Writes at most `max` columns; `…` marks what was cut. Returns the columns used. Outside of the screen
    /// nothing happens.
    pub fn text(&mut self, x: u16, y: u16, max: u16, text: &str, tone: Tone) -> u16 {
        let style = self.theme.style(tone);
        self.styled(x, y, max, text, style)
    }

    fn styled(&mut self, x: u16, y: u16, max: u16, text: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        if x < area.left() || y < area.top() || x >= area.right() || y >= area.bottom() {
            return 0;
        }
        let max = max.min(area.right() - x);
        let clean = words::clean(text);
        let fitted = words::fit(&clean, usize::from(max));
        let end = if self.theme.ascii {
            let plain: String = fitted.chars().map(theme::ascii).collect();
            self.buffer.set_stringn(x, y, plain, usize::from(max), style).0
        } else {
            self.buffer.set_stringn(x, y, &*fitted, usize::from(max), style).0
        };
        end.saturating_sub(x)
    }

    /// Right-aligned in the `max` columns from `x`.
    pub fn right(&mut self, x: u16, y: u16, max: u16, text: &str, tone: Tone) {
        let w = columns(text).min(max);
        self.text(x + (max - w), y, w, text, tone);
    }

    pub fn line(&mut self, x: u16, y: u16, max: u16, line: &[(String, Tone)]) -> u16 {
        let mut used = 0;
        for (text, tone) in line {
            if used >= max {
                break;
            }
            used += self.text(x.saturating_add(used), y, max - used, text, *tone);
        }
        used
    }

    /// `c` over a horizontal stretch.
    pub fn repeat(&mut self, x: u16, y: u16, n: u16, c: char, tone: Tone) {
        let text: String = std::iter::repeat_n(c, usize::from(n)).collect();
        self.text(x, y, n, &text, tone);
    }

    /// Lays a style over what is there.
    pub fn tint(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buffer.area);
        self.buffer.set_style(area, style);
    }

    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
    }
}

/// Columns of a text, as the canvas will write it.
pub fn columns(text: &str) -> u16 {
    u16::try_from(words::width(&words::clean(text))).unwrap_or(u16::MAX)
}

/// A line of one plain piece.
pub fn plain(text: impl Into<String>) -> Line {
    vec![(text.into(), Tone::Plain)]
}

/// `word` in a column of its own, then a sentence.
pub fn labelled(word: &str, width: usize, text: impl Into<String>) -> Line {
    vec![(format!("{word:<width$}"), Tone::Dim), (text.into(), Tone::Plain)]
}
