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

/// Lines that are no wider than `width`: broken between words, what follows stands under the text behind the label.
pub fn wrap(lines: Vec<Line>, width: usize) -> Vec<Line> {
    let mut out = Vec::new();
    for line in lines {
        let total: usize = line.iter().map(|(text, _)| usize::from(columns(text))).sum();
        if total <= width || width < 20 {
            out.push(line);
        } else {
            fold(&line, width, &mut out);
        }
    }
    out
}

/// Columns that the lines after the first are pushed in.
fn hanging(line: &Line, width: usize) -> usize {
    let label = match line.as_slice() {
        [(label, _), _, ..] if label.ends_with(' ') => usize::from(columns(label)),
        [(text, _), ..] => text.len() - text.trim_start_matches(' ').len() + 2,
        [] => 0,
    };
    label.min(width / 2)
}

fn fold(line: &Line, width: usize, out: &mut Vec<Line>) {
    let hang = hanging(line, width);
    let mut now: Line = Vec::new();
    let mut used = 0;
    for (text, tone) in line {
        for word in text.split_inclusive(' ') {
            let mut rest = word;
            loop {
                let need = usize::from(columns(rest.trim_end_matches(' ')));
                if used + need <= width {
                    used += usize::from(columns(rest));
                    now.push((rest.to_owned(), *tone));
                    break;
                }
                if used <= hang {
                    // A word that is longer than a line.
                    let room = width.saturating_sub(used).max(1);
                    let at = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
                    let (head, tail) = rest.split_at(at);
                    now.push((head.to_owned(), *tone));
                    rest = tail;
                }
                // The space before the break would not fit.
                if let Some((last, _)) = now.last_mut() {
                    last.truncate(last.trim_end_matches(' ').len());
                }
                out.push(std::mem::take(&mut now));
                now.push((" ".repeat(hang), Tone::Plain));
                used = hang;
                if rest.is_empty() {
                    break;
                }
            }
        }
    }
    if let Some((last, _)) = now.last_mut() {
        last.truncate(last.trim_end_matches(' ').len());
    }
    if now.iter().any(|(text, _)| !text.trim().is_empty()) {
        out.push(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Line]) -> Vec<String> {
        lines
            .iter()
            .map(|line| {
                line.iter()
                    .map(|(text, _)| text.as_str())
                    .collect::<String>()
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    #[test]
    fn long_lines_hang_under_their_text() {
        let line = labelled("what", 6, "one two three four five");
        assert_eq!(
            texts(&wrap(vec![line], 20)),
            ["what  one two three", "      four five"]
        );
        assert_eq!(
            texts(&wrap(vec![plain("abcdefghijklmnopqrstuvwxyz")], 20)),
            ["abcdefghijklmnopqrst", "  uvwxyz"]
        );
        assert_eq!(wrap(vec![Vec::new()], 20).len(), 1);
    }
}
