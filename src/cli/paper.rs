//! What text output is written on: how wide it is and whether it takes colour.

use std::io::IsTerminal;

use clap::ValueEnum;

use crate::words;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set or it is a dumb one
    #[default]
    Auto,
    Always,
    Never,
}

/// The look of a word. Each has a sign or a word beside it, so that nothing is lost without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Strong,
    Dim,
    Good,
    Bad,
    Warn,
}

#[derive(Clone, Copy, Debug)]
pub struct Paper {
    /// Columns; `None` where nothing is cut, as in a pipe.
    pub width: Option<usize>,
    pub colour: bool,
}

impl Paper {
    /// What nobody looks at directly: no cut, no colour.
    pub const PLAIN: Self = Self {
        width: None,
        colour: false,
    };

    /// Standard output as it is now.
    pub fn of_stdout(colour: Colour) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let width = if terminal {
            crossterm::terminal::size().ok().map(|(w, _)| usize::from(w))
        } else {
            set("COLUMNS").and_then(|w| w.parse().ok())
        };
        let auto = || terminal && set("NO_COLOR").is_none() && set("TERM").is_none_or(|t| t != "dumb");
        Self {
            width: width.map(|w| w.max(40)),
            colour: match colour {
                Colour::Auto => auto(),
                Colour::Always => true,
                Colour::Never => false,
            },
        }
    }

    /// The text in its tone; what comes from a cluster is cleaned on the way.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let text = words::clean(text);
        let code = match tone {
            Tone::Plain => "",
            Tone::Strong => "1",
            Tone::Dim => "2",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Warn => "33",
        };
        if self.colour && !code.is_empty() && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.into_owned()
        }
    }

    /// A labelled text, broken between words, its further lines below its first: `  needs     cpu 3150m …`.
    pub fn labelled(&self, indent: usize, label: &str, tone: Tone, text: &str) -> String {
        const LABEL: usize = 10;
        let hang = indent + LABEL;
        let lines = wrap(
            &words::clean(text),
            self.width.map(|w| w.saturating_sub(hang).max(20)),
        );
        let mut out = String::new();
        for (i, line) in lines.iter().enumerate() {
            let head = if i == 0 {
                let pad = " ".repeat(LABEL.saturating_sub(words::width(label)).max(1));
                format!("{}{}{pad}", " ".repeat(indent), self.paint(Tone::Dim, label))
            } else {
                " ".repeat(hang)
            };
            out.push_str(&format!("{head}{}\n", self.paint(tone, line)));
        }
        out
    }
}

/// Breaks a text between words.
fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else {
        return vec![text.to_owned()];
    };
    let mut out = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && words::width(&line) + 1 + words::width(word) > width {
            out.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push(line);
    out
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// A table whose columns are as wide as what is in them. Where it does not fit the paper, the columns marked as
/// shrinking give way, the last first.
#[derive(Debug, Default)]
pub struct Table {
    heads: Vec<(&'static str, Side, bool)>,
    rows: Vec<Vec<(String, Tone)>>,
}

impl Table {
    pub fn left(mut self, head: &'static str) -> Self {
        self.heads.push((head, Side::Left, false));
        self
    }

    /// A left column that may be cut.
    pub fn shrinking(mut self, head: &'static str) -> Self {
        self.heads.push((head, Side::Left, true));
        self
    }

    pub fn right(mut self, head: &'static str) -> Self {
        self.heads.push((head, Side::Right, false));
        self
    }

    /// One cell a column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = (String, Tone)>) {
        let cells = cells
            .into_iter()
            .map(|(t, tone)| (words::clean(&t).into_owned(), tone));
        self.rows.push(cells.collect());
    }

    fn widths(&self, indent: usize, paper: &Paper) -> Vec<usize> {
        let mut out: Vec<usize> = self.heads.iter().map(|(h, ..)| words::width(h)).collect();
        for row in &self.rows {
            for (w, (text, _)) in out.iter_mut().zip(row) {
                *w = (*w).max(words::width(text));
            }
        }
        let Some(width) = paper.width else {
            return out;
        };
        let gaps = indent + 2 * out.len().saturating_sub(1);
        let mut over = (out.iter().sum::<usize>() + gaps).saturating_sub(width);
        for (w, (head, _, shrinks)) in out.iter_mut().zip(&self.heads).rev() {
            if *shrinks {
                let least = words::width(head).max(8).min(*w);
                let less = over.min(*w - least);
                *w -= less;
                over -= less;
            }
        }
        out
    }

    pub fn draw(&self, indent: usize, paper: &Paper) -> String {
        let widths = self.widths(indent, paper);
        let mut out = String::new();
        let heads = self
            .heads
            .iter()
            .map(|(h, ..)| ((*h).to_owned(), Tone::Dim))
            .collect();
        let titled = self.heads.iter().any(|(h, ..)| !h.is_empty());
        for row in titled.then_some(&heads).into_iter().chain(&self.rows) {
            let mut line = " ".repeat(indent);
            let last = row.len().saturating_sub(1);
            for (i, ((text, tone), (w, (_, side, shrinks)))) in
                row.iter().zip(widths.iter().zip(&self.heads)).enumerate()
            {
                let cut = if *shrinks {
                    words::fit_middle(text, *w)
                } else {
                    text.as_str().into()
                };
                let pad = " ".repeat(w.saturating_sub(words::width(&cut)));
                let shown = paper.paint(*tone, &cut);
                match side {
                    Side::Right => line.push_str(&format!("{pad}{shown}")),
                    Side::Left if i == last => line.push_str(&shown),
                    Side::Left => line.push_str(&format!("{shown}{pad}")),
                }
                if i < last {
                    line.push_str("  ");
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut t = Table::default().shrinking("NAME").right("PODS").left("WHY");
        let plain = |text: &str| (text.to_owned(), Tone::Plain);
        t.row([plain("a-rather-long-name-xyz"), plain("3"), plain("room")]);
        t.row([
            plain("b"),
            plain("12"),
            (String::from("no\u{1b}[2Jne"), Tone::Bad),
        ]);
        t
    }

    #[test]
    fn columns_line_up_and_give_way() {
        assert_eq!(
            table().draw(2, &Paper::PLAIN),
            "  NAME                    PODS  WHY\n  a-rather-long-name-xyz     3  room\n  b                         12  \
             no[2Jne\n"
        );
        let narrow = Paper {
            width: Some(30),
            colour: false,
        };
        let text = table().draw(2, &narrow);
        assert!(text.lines().all(|l| words::width(l) <= 30), "{text}");
        assert!(text.contains("a-rath…e-xyz") || text.contains('…'), "{text}");
    }

    #[test]
    fn colour_never_carries_what_a_cluster_wrote() {
        let paper = Paper {
            width: None,
            colour: true,
        };
        let text = table().draw(0, &paper);
        assert!(text.contains("\x1b[31mno[2Jne\x1b[0m"), "{text:?}");
        assert_eq!(paper.paint(Tone::Plain, "x"), "x");
    }

    #[test]
    fn long_reasons_hang_below_their_label() {
        let paper = Paper {
            width: Some(40),
            colour: false,
        };
        assert_eq!(
            paper.labelled(2, "why", Tone::Plain, "one two three four five six seven"),
            "  why       one two three four five six\n            seven\n"
        );
    }
}
