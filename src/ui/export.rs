//! A frame as text, SVG and JSON, for `kerf snapshot`, the README and tests; the view's history as JSON Lines.

use std::fmt::Write;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use serde_json::{Value, json};

use super::theme::Palette;
use crate::ledger::{Cause, View};
use crate::words;

/// The characters, one line a row, without spaces at the ends.
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        let mut x = buffer.area.left();
        while x < buffer.area.right() {
            let symbol = buffer.cell((x, y)).map_or(" ", ratatui::buffer::Cell::symbol);
            line.push_str(symbol);
            x += u16::try_from(words::width(symbol).max(1)).unwrap_or(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

const CELL: (f64, f64) = (8.4, 17.0);
const FONTS: &str =
    "ui-monospace,'Cascadia Mono','JetBrains Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace";

/// A picture of the frame. Every run of one style is stretched to its exact width, so columns stay aligned with any
/// font.
pub fn svg(buffer: &Buffer, palette: Palette) -> String {
    let (w, h) = (
        f64::from(buffer.area.width) * CELL.0,
        f64::from(buffer.area.height) * CELL.1,
    );
    let (ground, ink) = if palette == Palette::Light {
        ("#ffffff", "#1f2328")
    } else {
        ("#11151c", "#d7dce3")
    };
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0}\" height=\"{:.0}\" viewBox=\"-12 -12 {:.1} {:.1}\" \
         font-family=\"{FONTS}\" font-size=\"14\" xml:space=\"preserve\">\n<rect x=\"-12\" y=\"-12\" width=\"{:.1}\" \
         height=\"{:.1}\" rx=\"8\" fill=\"{ground}\"/>",
        w + 24.0,
        h + 24.0,
        w + 24.0,
        h + 24.0,
        w + 24.0,
        h + 24.0
    );
    for y in buffer.area.top()..buffer.area.bottom() {
        for run in runs(buffer, y) {
            draw(&mut out, &run, y, (ground, ink));
        }
    }
    out.push_str("</svg>\n");
    out
}

/// The frame as data: each row's text, and its runs of one style with column, colours and weight.
pub fn json(buffer: &Buffer) -> Value {
    let rows: Vec<Value> = (buffer.area.top()..buffer.area.bottom())
        .map(|y| {
            let runs = runs(buffer, y);
            let text: String = runs.iter().map(|run| run.text.as_str()).collect();
            let spans: Vec<Value> = runs
                .iter()
                .filter(|run| !run.text.trim().is_empty() || run.bg != Color::Reset)
                .map(span)
                .collect();
            json!({"text": text.trim_end(), "spans": spans})
        })
        .collect();
    json!({"width": buffer.area.width, "height": buffer.area.height, "rows": rows})
}

fn span(run: &Run) -> Value {
    let mut out = json!({"x": run.x, "text": run.text});
    for (name, value) in [("fg", colour(run.fg)), ("bg", colour(run.bg))] {
        if let Some(value) = value {
            out[name] = value.into();
        }
    }
    for (name, flag) in [
        ("bold", Modifier::BOLD),
        ("dim", Modifier::DIM),
        ("reversed", Modifier::REVERSED),
        ("underlined", Modifier::UNDERLINED),
    ] {
        if run.modifier.contains(flag) {
            out[name] = true.into();
        }
    }
    out
}

/// JSON Lines of what the view still holds, and how many: `decisions`, `events` (the log), or `operator` (what people
/// said and ruled).
pub fn journal(view: &View, what: &str) -> (String, usize) {
    let entries = || view.log.iter().map(AsRef::as_ref);
    let lines: Vec<String> = match what {
        "decisions" => view
            .decisions
            .values()
            .map(|row| {
                json!({
                    "schema": "kerf/decision/v1", "decision": &*row.decision, "state": row.state,
                    "since": row.since, "by": row.by, "reason": row.reason,
                })
                .to_string()
            })
            .collect(),
        "operator" => entries()
            .filter(|e| matches!(e.cause, Cause::Person(_)))
            .filter_map(|e| serde_json::to_string(e).ok())
            .collect(),
        _ => entries().filter_map(|e| serde_json::to_string(e).ok()).collect(),
    };
    let count = lines.len();
    (lines.into_iter().map(|line| line + "\n").collect(), count)
}

/// Neighbouring cells of one style.
struct Run {
    x: u16,
    columns: u16,
    text: String,
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

fn runs(buffer: &Buffer, y: u16) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::new();
    let mut x = buffer.area.left();
    while x < buffer.area.right() {
        let Some(cell) = buffer.cell((x, y)) else { break };
        let columns = u16::try_from(words::width(cell.symbol()).max(1)).unwrap_or(1);
        let blank = cell.symbol() == " ";
        match out.last_mut() {
            Some(run)
                if run.fg == cell.fg && run.bg == cell.bg && run.modifier == cell.modifier
                    // A gap ends a run, so that texts start exactly at their column.
                    && (blank || !run.text.ends_with("  ")) =>
            {
                run.text.push_str(cell.symbol());
                run.columns += columns;
            }
            _ => out.push(Run {
                x,
                columns,
                text: cell.symbol().to_owned(),
                fg: cell.fg,
                bg: cell.bg,
                modifier: cell.modifier,
            }),
        }
        x += columns;
    }
    out
}

fn draw(out: &mut String, run: &Run, y: u16, (ground, ink): (&str, &str)) {
    let (x, top) = (f64::from(run.x) * CELL.0, f64::from(y) * CELL.1);
    let mut fg = colour(run.fg).unwrap_or_else(|| ink.to_owned());
    let mut bg = colour(run.bg);
    if run.modifier.contains(Modifier::REVERSED) {
        let back = std::mem::replace(&mut fg, bg.unwrap_or_else(|| ground.to_owned()));
        bg = Some(back);
    }
    if let Some(bg) = bg {
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{}\" fill=\"{bg}\"/>",
            f64::from(run.columns) * CELL.0,
            CELL.1
        );
    }
    let text = run.text.trim_end();
    if text.is_empty() {
        return;
    }
    let lead = u16::try_from(text.len() - text.trim_start().len()).unwrap_or(0);
    let body = text.trim_start();
    let weight = if run.modifier.contains(Modifier::BOLD) {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let dim = if run.modifier.contains(Modifier::DIM) {
        " opacity=\"0.6\""
    } else {
        ""
    };
    let length = f64::from(u16::try_from(words::width(body)).unwrap_or(u16::MAX)) * CELL.0;
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{fg}\"{weight}{dim}>{}</text>",
        x + f64::from(lead) * CELL.0,
        top + 13.0,
        escape(body)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Hex of a colour of the 256; `None` for the terminal's own.
fn colour(c: Color) -> Option<String> {
    const BASE: [u32; 16] = [
        0x00_0000, 0xcd_3131, 0x0d_bc79, 0xe5_e510, 0x24_72c8, 0xbc_3fbc, 0x11_a8cd, 0xe5_e5e5, 0x66_6666,
        0xf1_4c4c, 0x23_d18b, 0xf5_f543, 0x3b_8eea, 0xd6_70d6, 0x29_b8db, 0xff_ffff,
    ];
    let level = |n: u32| if n == 0 { 0 } else { 55 + 40 * n };
    let rgb = match c {
        Color::Indexed(i) => {
            let i = u32::from(i);
            match i {
                0..16 => BASE.get(i as usize).copied().unwrap_or(0),
                16..232 => {
                    let n = i - 16;
                    level(n / 36) << 16 | level(n / 6 % 6) << 8 | level(n % 6)
                }
                _ => (8 + 10 * (i - 232)) * 0x01_0101,
            }
        }
        Color::Rgb(r, g, b) => u32::from(r) << 16 | u32::from(g) << 8 | u32::from(b),
        _ => return None,
    };
    Some(format!("#{rgb:06x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn svg_escapes_and_keeps_columns() {
        let mut b = Buffer::empty(Rect::new(0, 0, 12, 1));
        b.set_string(0, 0, "<a&b>", Style::new().fg(Color::Indexed(78)));
        b.set_string(8, 0, "x", Style::new());
        let svg = svg(&b, Palette::Dark);
        assert!(svg.contains("&lt;a&amp;b&gt;"), "{svg}");
        assert!(svg.contains("x=\"67.2\"") && svg.contains("#5fd787"), "{svg}");
        assert_eq!(text(&b), "<a&b>   x\n");
    }
}
