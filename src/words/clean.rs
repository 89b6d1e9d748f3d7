//! Text from a cluster, made safe for a terminal.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Removes what could move the cursor, reorder or hide text: control characters, bidirectional marks, everything
/// of no width. Tabs and line ends become one space. Borrowed when nothing had to go.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            out.push(c);
        } else if matches!(c, '\n' | '\r' | '\t') && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    Cow::Owned(out)
}

fn is_plain(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // Marks of direction have a width of their own in some tables, so they are named.
    let moves = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{ad}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    !moves && c.width().is_some_and(|w| w > 0)
}

/// Columns that the text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text cut to `columns`, with `…` in place of what was cut.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut used = 0;
    let mut out = String::new();
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > columns {
            break;
        }
        used += w;
        out.push(c);
    }
    out.push('…');
    Cow::Owned(out)
}

/// The same with the cut in the middle: of names made by a controller the end tells them apart.
pub fn fit_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns || columns < 9 {
        return fit(text, columns);
    }
    let tail = (columns - 1) / 2;
    let mut end = text.len();
    let mut used = 0;
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > tail {
            break;
        }
        end = at;
    }
    let (head, rest) = text.split_at(end);
    // `fit` puts the sign of the cut.
    Cow::Owned(format!("{}{rest}", fit(head, columns - rest.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_cannot_drive_the_terminal() {
        assert_eq!(clean("plain-name/é"), "plain-name/é");
        assert!(matches!(clean("plain"), Cow::Borrowed(_)));
        assert_eq!(clean("a\u{1b}[2Jb"), "a[2Jb");
        assert_eq!(clean("user\u{202e}gnp.exe"), "usergnp.exe");
        assert_eq!(clean("a\u{200b}b\u{feff}c\u{ad}d"), "abcd");
        assert_eq!(clean("one\r\n\ttwo"), "one two");
        assert_eq!(clean("e\u{301}\u{9b}31m"), "e31m");
    }

    #[test]
    fn cutting_keeps_the_width() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit("abc", 1), "…");
    }

    #[test]
    fn the_middle_is_cut_out_of_long_names() {
        assert_eq!(
            fit_middle("default/web-98jc4j462c-22bjg", 40),
            "default/web-98jc4j462c-22bjg"
        );
        assert_eq!(
            fit_middle("default/web-98jc4j462c-22bjg", 20),
            "default/we…62c-22bjg"
        );
        assert_eq!(fit_middle("äöüäöüäöüäöü", 9), "äöüä…üäöü");
        assert_eq!(fit_middle("abcdefghijkl", 5), "abcd…");
    }
}
