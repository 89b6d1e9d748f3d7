//! Colours by meaning. Each has a sign or a word beside it on the screen, so that the mono palette loses nothing
//! (screens, rule 7).

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    /// Less important than what is around it.
    Dim,
    Strong,
    Good,
    Warn,
    Bad,
    /// Names, keys, what can be acted on.
    Accent,
    Border,
    /// Border and title of the pane that has the keys.
    Focus,
    Header,
    /// Header of a real cluster.
    Live,
    /// Something is switched off or waits for a person: inverse.
    Alert,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    #[default]
    Dark,
    Light,
    /// No colours: bold, dim and inverse only.
    Mono,
}

impl Palette {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Mono => "mono",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Dark, Self::Light, Self::Mono]
            .into_iter()
            .find(|p| p.as_str() == text)
    }

    pub fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Mono,
            Self::Mono => Self::Dark,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    pub palette: Palette,
    /// Borders, bars and signs from ASCII only.
    pub ascii: bool,
}

impl Theme {
    /// Reads `NO_COLOR`, `TERM` and `COLORFGBG` through `get`.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Self {
        let dumb = get("TERM").is_some_and(|t| t == "dumb");
        let no_color = get("NO_COLOR").is_some_and(|v| !v.is_empty());
        let light = get("COLORFGBG").is_some_and(|v| v.ends_with(";15") || v.ends_with(";7"));
        let palette = match (dumb || no_color, light) {
            (true, _) => Palette::Mono,
            (_, true) => Palette::Light,
            _ => Palette::Dark,
        };
        Self { palette, ascii: dumb }
    }

    pub fn style(&self, tone: Tone) -> Style {
        let style = Style::new();
        match self.palette {
            Palette::Mono => match tone {
                Tone::Dim | Tone::Border => style.add_modifier(Modifier::DIM),
                Tone::Strong | Tone::Accent | Tone::Focus | Tone::Bad => style.add_modifier(Modifier::BOLD),
                Tone::Alert | Tone::Live => style.add_modifier(Modifier::REVERSED | Modifier::BOLD),
                Tone::Plain | Tone::Good | Tone::Warn | Tone::Header => style,
            },
            Palette::Dark => match tone {
                Tone::Plain | Tone::Header => style,
                Tone::Dim => style.fg(Color::Indexed(245)),
                Tone::Strong => style.add_modifier(Modifier::BOLD),
                Tone::Good => style.fg(Color::Indexed(78)),
                Tone::Warn => style.fg(Color::Indexed(221)),
                Tone::Bad => style.fg(Color::Indexed(203)),
                Tone::Accent => style.fg(Color::Indexed(81)),
                Tone::Border => style.fg(Color::Indexed(240)),
                Tone::Focus => style.fg(Color::Indexed(81)).add_modifier(Modifier::BOLD),
                Tone::Live => style
                    .fg(Color::Indexed(231))
                    .bg(Color::Indexed(124))
                    .add_modifier(Modifier::BOLD),
                Tone::Alert => style
                    .fg(Color::Indexed(16))
                    .bg(Color::Indexed(221))
                    .add_modifier(Modifier::BOLD),
            },
            Palette::Light => match tone {
                Tone::Plain | Tone::Header => style,
                Tone::Dim => style.fg(Color::Indexed(242)),
                Tone::Strong => style.add_modifier(Modifier::BOLD),
                Tone::Good => style.fg(Color::Indexed(28)),
                Tone::Warn => style.fg(Color::Indexed(130)),
                Tone::Bad => style.fg(Color::Indexed(160)),
                Tone::Accent => style.fg(Color::Indexed(25)),
                Tone::Border => style.fg(Color::Indexed(249)),
                Tone::Focus => style.fg(Color::Indexed(25)).add_modifier(Modifier::BOLD),
                Tone::Live => style
                    .fg(Color::Indexed(231))
                    .bg(Color::Indexed(160))
                    .add_modifier(Modifier::BOLD),
                Tone::Alert => style
                    .fg(Color::Indexed(231))
                    .bg(Color::Indexed(130))
                    .add_modifier(Modifier::BOLD),
            },
        }
    }

    /// Laid over the row under the cursor.
    pub fn cursor(&self) -> Style {
        match self.palette {
            Palette::Mono => Style::new().add_modifier(Modifier::REVERSED),
            Palette::Dark => Style::new().bg(Color::Indexed(237)).add_modifier(Modifier::BOLD),
            Palette::Light => Style::new().bg(Color::Indexed(254)).add_modifier(Modifier::BOLD),
        }
    }
}

/// The tone of a share of requests: an empty node costs money (screens §8).
pub fn load(share: f64) -> Tone {
    if share >= 0.8 {
        Tone::Good
    } else if share >= 0.5 {
        Tone::Warn
    } else {
        Tone::Bad
    }
}

/// The ASCII stand-in of every sign that the screens use, one column each.
pub fn ascii(c: char) -> char {
    match c {
        '┌' | '┐' | '└' | '┘' => '+',
        '─' | '━' => '-',
        '│' => '|',
        '█' | '▇' => '#',
        '▆' | '▅' => '=',
        '▄' | '▃' => '-',
        '▂' | '▁' => '_',
        '░' => '.',
        '▌' | '▸' | '→' | '▲' => '>',
        '▼' | '↓' => 'v',
        '↑' => '^',
        '←' => '<',
        '✓' => 'y',
        '✗' => 'x',
        '●' | '◆' => '*',
        '○' => 'o',
        '±' | '…' | '·' => '~',
        '—' | '–' => '-',
        '×' => 'x',
        '≥' => '>',
        '≤' => '<',
        c if c.is_ascii() => c,
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(pairs: &[(&str, &str)]) -> Theme {
        Theme::from_env(|k| {
            pairs
                .iter()
                .find(|(name, _)| *name == k)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn the_environment_chooses() {
        assert_eq!(theme(&[]).palette, Palette::Dark);
        assert_eq!(theme(&[("NO_COLOR", "1")]).palette, Palette::Mono);
        assert_eq!(theme(&[("NO_COLOR", "")]).palette, Palette::Dark);
        assert_eq!(theme(&[("COLORFGBG", "0;15")]).palette, Palette::Light);
        assert!(theme(&[("TERM", "dumb")]).ascii);
    }

    #[test]
    fn mono_has_no_colour_at_all() {
        let mono = theme(&[("NO_COLOR", "1")]);
        for tone in [
            Tone::Good,
            Tone::Bad,
            Tone::Warn,
            Tone::Live,
            Tone::Alert,
            Tone::Accent,
            Tone::Border,
        ] {
            let s = mono.style(tone);
            assert_eq!((s.fg, s.bg), (None, None), "{tone:?}");
        }
        assert_eq!(mono.cursor().bg, None);
    }
}
