//! Frames of every view, compared with the files in `frames/`. After a change that is meant, run
//! `KERF_BLESS=1 cargo test --lib ui::golden` and read the difference.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{App, Explained};
use super::digest::Digest;
use super::input::Request;
use super::place::{Pane, Screen};
use super::theme::{Palette, Theme};
use super::{export, frame, sample};
use crate::gate::Command;
use crate::gate::command::Scope;
use crate::ledger::View;
use crate::model::decision::DecisionId;

fn app() -> App {
    App::new(Theme::default(), "operator")
}

fn press(app: &mut App, view: &View, keys: &str) -> Vec<Request> {
    let digest = Digest::of(view);
    let mut out = Vec::new();
    for c in keys.chars() {
        app.anchor(view, &digest);
        let code = match c {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '\u{1b}' => KeyCode::Esc,
            c => KeyCode::Char(c),
        };
        out.extend(app.key(KeyEvent::new(code, KeyModifiers::NONE), view, &digest));
    }
    app.anchor(view, &digest);
    out
}

fn screens() -> Vec<(&'static str, Screen)> {
    vec![
        ("overview", Screen::Overview),
        ("pods", Screen::Pods),
        ("pod", Screen::Pod("ml/embed-0".into())),
        ("decisions", Screen::Decisions),
        ("decision", Screen::Decision(DecisionId(142))),
        ("nodes", Screen::Nodes),
        ("node", Screen::Node("ip-10-0-81-40".into())),
        ("pools", Screen::Pools),
        ("types", Screen::Types),
        ("review", Screen::Review),
        ("timeline", Screen::Timeline),
        ("log", Screen::Log),
    ]
}

fn check(name: &str, picture: &ratatui::buffer::Buffer) -> Option<String> {
    let path = format!("{}/src/ui/frames/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let found = export::text(picture);
    if std::env::var_os("KERF_BLESS").is_some() {
        std::fs::write(&path, &found).expect("frames can be written");
        return None;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    (wanted != found).then(|| format!("{name} differs:\n{found}"))
}

#[test]
fn every_view_looks_as_it_did() {
    let view = sample::view();
    let digest = Digest::of(&view);
    let mut wrong = Vec::new();
    for (width, height) in [(160, 45), (80, 24)] {
        for (name, screen) in screens() {
            let mut app = app();
            app.go(screen);
            app.anchor(&view, &digest);
            let picture = frame::draw(&view, &digest, &app, width, height);
            wrong.extend(check(&format!("{name}-{width}x{height}"), &picture));
        }
        let mut asked = app();
        asked.go(Screen::Pod("ml/embed-0".into()));
        asked.explained = Explained::Pending(Box::new(sample::why()));
        asked.anchor(&view, &digest);
        let picture = frame::draw(&view, &digest, &asked, width, height);
        wrong.extend(check(&format!("why-{width}x{height}"), &picture));
        for (name, keys) in [("help", "?"), ("pause", "p30"), ("mode", "M")] {
            let mut app = app();
            press(&mut app, &view, keys);
            let picture = frame::draw(&view, &digest, &app, width, height);
            wrong.extend(check(&format!("{name}-{width}x{height}"), &picture));
        }
    }
    let empty = View {
        host: view.host.clone(),
        source: "demo".into(),
        ..View::default()
    };
    wrong.extend(check("welcome-160x45", &frame::render(&empty, &app(), 160, 45)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_size_panics() {
    let view = sample::view();
    let digest = Digest::of(&view);
    let sizes = (1..=300).step_by(23).chain([79, 80, 119, 120]);
    for width in sizes {
        for height in [1, 2, 3, 5, 11, 23, 24, 25, 30, 45, 60, 100] {
            for (_, screen) in screens() {
                let mut app = app();
                app.go(screen);
                frame::draw(&view, &digest, &app, width, height);
                app.zoom = true;
                frame::draw(&view, &digest, &app, width, height);
            }
            let mut app = app();
            press(&mut app, &view, "?");
            frame::draw(&view, &digest, &app, width, height);
        }
    }
}

#[test]
fn mono_frames_carry_no_colour() {
    let view = sample::view();
    let mut app = App::new(
        Theme {
            palette: Palette::Mono,
            ascii: true,
        },
        "operator",
    );
    let picture = frame::render(&view, &app, 160, 45);
    assert!(
        picture
            .content()
            .iter()
            .all(|c| c.fg == ratatui::style::Color::Reset && c.bg == ratatui::style::Color::Reset)
    );
    assert!(export::text(&picture).is_ascii(), "{}", export::text(&picture));
    app.theme = Theme::default();
    assert_eq!(frame::render(&view, &app, 160, 45).area.width, 160);
}

#[test]
fn approval_names_what_is_shown() {
    let mut view = sample::view();
    let mut a = app();
    // Oldest first: #140, then #141.
    let sent = press(&mut a, &view, "7ja");
    let hash = view
        .decisions
        .get(&DecisionId(141))
        .expect("it waits")
        .decision
        .hash;
    assert_eq!(
        sent,
        [Request::Send(Command::Approve {
            id: DecisionId(141),
            hash
        })]
    );
    // On a real cluster it is asked for.
    view.host.demo = false;
    let mut a = app();
    assert_eq!(press(&mut a, &view, "7ja"), []);
    assert_eq!(press(&mut a, &view, "n"), []);
    assert_eq!(
        press(&mut a, &view, "ay"),
        [Request::Send(Command::Approve {
            id: DecisionId(141),
            hash
        })]
    );
}

#[test]
fn approve_all_wants_the_number_of_nodes() {
    let view = sample::view();
    assert_eq!(press(&mut app(), &view, "7A2\n"), []);
    assert_eq!(press(&mut app(), &view, "7A3\n").len(), 2);
}

#[test]
fn a_decision_key_first_leads_to_what_waits_and_then_acts() {
    let view = sample::view();
    let mut a = app();
    assert_eq!(press(&mut a, &view, "a"), [], "the cursor is on a node");
    assert_eq!(a.list(Pane::Recent).cursor.as_deref(), Some("#140"));
    assert_eq!(press(&mut a, &view, "a").len(), 1);
    let mut a = app();
    press(&mut a, &view, "3a");
    assert_eq!(a.list(Pane::Decisions).cursor.as_deref(), Some("#140"));
}

#[test]
fn q_leaves_from_every_tab_and_goes_back_from_inside() {
    let view = sample::view();
    assert_eq!(press(&mut app(), &view, "7291q"), [Request::Quit]);
    assert_eq!(press(&mut app(), &view, "4\nq"), []);
}

#[test]
fn esc_and_a_key_in_one_breath_are_two_keys() {
    let view = sample::view();
    let mut a = app();
    press(&mut a, &view, "9?");
    let digest = Digest::of(&view);
    a.key(
        KeyEvent::new(KeyCode::Char('1'), KeyModifiers::ALT),
        &view,
        &digest,
    );
    assert_eq!(
        (a.overlay, a.screen),
        (super::app::Overlay::None, Screen::Overview)
    );
}

#[test]
fn a_key_without_a_meaning_says_so() {
    let view = sample::view();
    let mut a = app();
    press(&mut a, &view, "W");
    assert!(a.message.is_some_and(|(text, _)| text.contains('?')));
}

#[test]
fn keys_become_commands() {
    let view = sample::view();
    let one = |keys: &str| match press(&mut app(), &view, keys).as_slice() {
        [Request::Send(c)] => c.clone(),
        other => panic!("{keys}: {other:?}"),
    };
    let pause = |scope, minutes| Command::Pause { scope, minutes };
    assert_eq!(one("P"), pause(Scope::Everything, None));
    assert_eq!(one("?P"), pause(Scope::Everything, None));
    assert_eq!(one("p30d"), pause(Scope::Disruption, Some(30)));
    assert_eq!(one("po"), pause(Scope::Pool("general".into()), None));
    assert_eq!(one(":pause disruption 2h\n"), pause(Scope::Disruption, Some(120)));
    assert_eq!(
        one("jC"),
        Command::Consolidate {
            scope: Scope::Node("ip-10-0-44-8".into()),
            ignore_budgets: false
        }
    );
    assert_eq!(
        one(":consolidate web force\n"),
        Command::Consolidate {
            scope: Scope::Pool("web".into()),
            ignore_budgets: true
        }
    );
    assert_eq!(one(">"), Command::Speed { times: 30 });
    assert_eq!(
        one("7xtoo many pods\n"),
        Command::Reject {
            id: DecisionId(140),
            reason: "too many pods".to_owned()
        }
    );
    assert_eq!(
        one("Mo"),
        Command::SetMode {
            mode: crate::gate::Mode::Observe
        }
    );
}

#[test]
fn the_cursor_stays_on_its_row_when_rows_come_and_go() {
    let mut view = sample::view();
    let mut a = app();
    press(&mut a, &view, "jj");
    let digest = Digest::of(&view);
    assert_eq!(a.selected(&view, &digest).as_deref(), Some("ip-10-0-5-66"));
    view.snapshot.nodes.remove("ip-10-0-12-31");
    let digest = Digest::of(&view);
    a.anchor(&view, &digest);
    assert_eq!(a.selected(&view, &digest).as_deref(), Some("ip-10-0-5-66"));
    view.snapshot.nodes.remove("ip-10-0-5-66");
    let digest = Digest::of(&view);
    assert!(a.selected(&view, &digest).is_some());
}

#[test]
fn a_filter_works_while_it_is_typed_and_esc_takes_it_away() {
    let view = sample::view();
    let mut a = app();
    press(&mut a, &view, "4/pool=batch");
    let digest = Digest::of(&view);
    let text = export::text(&frame::draw(&view, &digest, &a, 160, 45));
    assert!(
        text.contains("ip-10-0-5-66") && !text.contains("ip-10-0-12-31"),
        "{text}"
    );
    press(&mut a, &view, "\n\u{1b}");
    assert!(export::text(&frame::draw(&view, &digest, &a, 160, 45)).contains("ip-10-0-12-31"));
}

#[test]
fn hostile_names_stay_text() {
    let mut view = sample::view();
    view.source = "evil\u{1b}[2J\u{202e}name".into();
    let text = export::text(&frame::render(&view, &app(), 160, 45));
    assert!(text.contains("evil[2Jname") && !text.contains('\u{1b}'), "{text}");
}
