//! `kerf snapshot VIEW`: one frame of the demo, for documents, CI and bug reports.

use std::process::ExitCode;

use super::args::{Format, Snapshot};
use super::{CliError, demo, print};
use crate::decide::packing::bound;
use crate::ui::app::Overlay;
use crate::ui::theme::{Palette, Theme};
use crate::ui::{App, Screen, export, render};

pub fn run(args: &Snapshot) -> Result<ExitCode, CliError> {
    let screen = Screen::parse(&args.view).ok_or_else(|| {
        CliError::Input(format!(
            "{}: no such view; use overview, pods, decisions, nodes, nodepools, types, review, timeline, log or help",
            args.view
        ))
    });
    let help = args.view == "help";
    let screen = if help { Screen::Overview } else { screen? };
    let mut ended = demo::until(&args.scenario, args.seed, args.mode, args.until, &args.settings)?;
    let view = &mut ended.view;
    let pods = bound::workload(&view.snapshot);
    let floor = bound::of_workload(&view.snapshot, &pods, &args.settings.settings()?, view.now);
    view.cost.floor = Some(floor);
    let palette = if args.no_color {
        Palette::Mono
    } else {
        Palette::Dark
    };
    let theme = Theme {
        palette,
        ascii: false,
    };
    let mut app = App::new(theme, "operator");
    app.go(screen);
    if help {
        app.overlay = Overlay::Help { scroll: 0 };
    }
    let (width, height) = args.size;
    let frame = render(&ended.view, &app, width, height);
    let text = match args.format {
        Format::Text => export::text(&frame),
        Format::Svg => export::svg(&frame, palette),
        Format::Json => {
            let mut out = export::json(&frame);
            out["schema"] = "kerf/snapshot/v1".into();
            out["view"] = args.view.as_str().into();
            out["source"] = (&*ended.view.source).into();
            out["at"] = ended.view.now.to_string().into();
            format!("{out}\n")
        }
    };
    match &args.out {
        Some(path) => {
            std::fs::write(path, text).map_err(|e| CliError::Outside(format!("{}: {e}", path.display())))?;
            Ok(ExitCode::SUCCESS)
        }
        None => print(&text),
    }
}
