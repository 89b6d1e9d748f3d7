//! The one table of keys: it drives input, hint lines and help (screens, "Key map").

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::place::{Kind, Pane};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Tab(usize),
    NextPane,
    PreviousPane,
    Down,
    Up,
    First,
    Last,
    HalfDown,
    HalfUp,
    PageDown,
    PageUp,
    Open,
    Back,
    HistoryBack,
    HistoryForward,
    LastView,
    Filter,
    NextMatch,
    PreviousMatch,
    Command,
    Help,
    Sort,
    Reverse,
    Zoom,
    Mark,
    ClearMarks,
    Yaml,
    Json,
    CopyName,
    CopyExplanation,
    Explain,
    Menu,
    Freeze,
    Follow,
    Theme,
    Redraw,
    Quit,
    QuitNow,
    PauseMenu,
    PauseAll,
    ModePicker,
    Approve,
    ApproveAll,
    Reject,
    Undo,
    Consolidate,
    Faster,
    Slower,
    AllChecks,
}

/// Where a binding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Everywhere,
    Screens(&'static [Kind]),
    Panes(&'static [Pane]),
    /// Only with an embedded world.
    Demo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    View,
    Move,
    Views,
    Supervise,
    Picture,
}

/// A key with modifiers; shift is in the character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub KeyCode, pub KeyModifiers);

const fn ch(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::NONE)
}

const fn ctrl(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::CONTROL)
}

const fn code(c: KeyCode) -> Key {
    Key(c, KeyModifiers::NONE)
}

#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub keys: &'static [Key],
    /// As written in hints and help.
    pub show: &'static str,
    /// What it does, for help.
    pub help: &'static str,
    /// For the hint line; empty keeps it out.
    pub hint: &'static str,
    pub action: Action,
    pub on: On,
    pub section: Section,
}

const fn bind(
    keys: &'static [Key],
    show: &'static str,
    action: Action,
    on: On,
    section: Section,
    text: (&'static str, &'static str),
) -> Binding {
    Binding {
        keys,
        show,
        help: text.0,
        hint: text.1,
        action,
        on,
        section,
    }
}

use Action as A;
use On::{Demo, Everywhere, Panes, Screens};
use Section as S;

const DECIDABLE: &[Pane] = &[Pane::Recent, Pane::Decisions, Pane::Waiting];
const REVIEWED: &[Kind] = &[Kind::Review, Kind::Decision, Kind::Overview, Kind::Decisions];
const PLACES: &[Kind] = &[Kind::Overview, Kind::Nodes, Kind::Node, Kind::Pools, Kind::Review];
const EXPLAINED: &[Kind] = &[
    Kind::Overview,
    Kind::Pods,
    Kind::Nodes,
    Kind::Decisions,
    Kind::Pools,
    Kind::Review,
];

/// Earlier bindings win over later ones of the same key.
pub const BINDINGS: &[Binding] = &[
    // The view.
    bind(
        &[code(KeyCode::Esc)],
        "Esc",
        A::Back,
        Screens(&[Kind::Pod, Kind::Decision, Kind::Node, Kind::Page]),
        S::Move,
        ("back", "back"),
    ),
    bind(
        &[code(KeyCode::Enter)],
        "Enter",
        A::Open,
        Everywhere,
        S::View,
        ("open the selected row", "open"),
    ),
    bind(
        &[ch('a')],
        "a",
        A::Approve,
        Panes(DECIDABLE),
        S::View,
        ("approve the row that waits", "approve"),
    ),
    bind(
        &[ch('a')],
        "a",
        A::Approve,
        Screens(&[Kind::Review, Kind::Decision]),
        S::View,
        ("approve what is shown", "approve"),
    ),
    bind(
        &[ch('x')],
        "x",
        A::Reject,
        Panes(DECIDABLE),
        S::View,
        ("reject it, reason optional", "reject"),
    ),
    bind(
        &[ch('x')],
        "x",
        A::Reject,
        Screens(&[Kind::Review, Kind::Decision]),
        S::View,
        ("reject what is shown", "reject"),
    ),
    bind(
        &[ch('A')],
        "A",
        A::ApproveAll,
        Screens(REVIEWED),
        S::View,
        ("approve all (type the number of nodes)", "approve all"),
    ),
    bind(
        &[ch('u')],
        "u",
        A::Undo,
        Everywhere,
        S::Supervise,
        ("undo last approval (until eviction)", ""),
    ),
    bind(
        &[ch('C')],
        "C",
        A::Consolidate,
        Screens(PLACES),
        S::View,
        ("consolidate now: node, pool or all", "consolidate now"),
    ),
    bind(
        &[ch('X')],
        "X",
        A::Explain,
        Screens(EXPLAINED),
        S::View,
        ("explain the selected row", "explain"),
    ),
    bind(
        &[ch('v')],
        "v",
        A::AllChecks,
        Screens(&[Kind::Decision]),
        S::View,
        ("the whole ranking, every type", "whole ranking"),
    ),
    bind(
        &[ch('s')],
        "s",
        A::Sort,
        Everywhere,
        S::View,
        ("next sort column", ""),
    ),
    bind(
        &[ch('S')],
        "S",
        A::Reverse,
        Everywhere,
        S::View,
        ("reverse the order", ""),
    ),
    bind(
        &[ch('F')],
        "F",
        A::Follow,
        Panes(&[Pane::Log, Pane::LogTable]),
        S::View,
        ("follow the newest line", "follow"),
    ),
    bind(
        &[ch(' ')],
        "Space",
        A::Mark,
        Everywhere,
        S::View,
        ("mark the row", ""),
    ),
    bind(
        &[ctrl('\\')],
        "Ctrl-\\",
        A::ClearMarks,
        Everywhere,
        S::View,
        ("clear marks", ""),
    ),
    bind(
        &[ch('y')],
        "y",
        A::Yaml,
        Everywhere,
        S::View,
        ("YAML of the row", "YAML"),
    ),
    bind(
        &[ch('J')],
        "J",
        A::Json,
        Screens(&[Kind::Decision, Kind::Decisions, Kind::Review, Kind::Overview]),
        S::View,
        ("decision as JSON", ""),
    ),
    bind(
        &[ch('c')],
        "c",
        A::CopyName,
        Everywhere,
        S::View,
        ("copy the name", ""),
    ),
    bind(
        &[ch('e')],
        "e",
        A::CopyExplanation,
        Everywhere,
        S::View,
        ("copy the explanation", ""),
    ),
    // Supervision.
    bind(
        &[ch('p')],
        "p",
        A::PauseMenu,
        Everywhere,
        S::Supervise,
        (
            "pause menu: p provisioning, d disruption, a all, o this pool; digits = minutes",
            "pause",
        ),
    ),
    bind(
        &[ch('P')],
        "P",
        A::PauseAll,
        Everywhere,
        S::Supervise,
        ("pause everything at once; again resumes", ""),
    ),
    bind(
        &[ch('M')],
        "M",
        A::ModePicker,
        Everywhere,
        S::Supervise,
        ("mode: observe, ask, supervise, auto", ""),
    ),
    bind(
        &[ch('m')],
        "m",
        A::Menu,
        Everywhere,
        S::Supervise,
        ("action menu of the row", "actions"),
    ),
    bind(
        &[ch('>')],
        "< >",
        A::Faster,
        Demo,
        S::Supervise,
        ("slower, faster", "speed"),
    ),
    bind(&[ch('<')], "<", A::Slower, Demo, S::Supervise, ("slower", "")),
    // Getting around.
    bind(
        &[ch('?'), code(KeyCode::F(1))],
        "?",
        A::Help,
        Everywhere,
        S::Views,
        ("help", "help"),
    ),
    bind(
        &[ch(':')],
        ":",
        A::Command,
        Everywhere,
        S::Views,
        ("command", "command"),
    ),
    bind(
        &[ch('/')],
        "/",
        A::Filter,
        Everywhere,
        S::Views,
        ("filter", "filter"),
    ),
    bind(
        &[code(KeyCode::Tab)],
        "Tab",
        A::NextPane,
        Everywhere,
        S::Move,
        ("next pane (also l →)", "pane"),
    ),
    bind(
        &[ch('l'), code(KeyCode::Right)],
        "l →",
        A::NextPane,
        Everywhere,
        S::Move,
        ("next pane", ""),
    ),
    bind(
        &[code(KeyCode::BackTab), ch('h'), code(KeyCode::Left)],
        "S-Tab",
        A::PreviousPane,
        Everywhere,
        S::Move,
        ("previous pane (also h ←)", ""),
    ),
    bind(
        &[ch('j'), code(KeyCode::Down)],
        "j ↓",
        A::Down,
        Everywhere,
        S::Move,
        ("down", ""),
    ),
    bind(
        &[ch('k'), code(KeyCode::Up)],
        "k ↑",
        A::Up,
        Everywhere,
        S::Move,
        ("up", ""),
    ),
    bind(
        &[ch('g'), code(KeyCode::Home)],
        "g Home",
        A::First,
        Everywhere,
        S::Move,
        ("first", ""),
    ),
    bind(
        &[ch('G'), code(KeyCode::End)],
        "G End",
        A::Last,
        Everywhere,
        S::Move,
        ("last", ""),
    ),
    bind(
        &[ctrl('d')],
        "Ctrl-d",
        A::HalfDown,
        Everywhere,
        S::Move,
        ("half a page down", ""),
    ),
    bind(
        &[ctrl('u')],
        "Ctrl-u",
        A::HalfUp,
        Everywhere,
        S::Move,
        ("half a page up", ""),
    ),
    bind(
        &[ctrl('f'), code(KeyCode::PageDown)],
        "Ctrl-f PgDn",
        A::PageDown,
        Everywhere,
        S::Move,
        ("page down", ""),
    ),
    bind(
        &[ctrl('b'), code(KeyCode::PageUp)],
        "Ctrl-b PgUp",
        A::PageUp,
        Everywhere,
        S::Move,
        ("page up", ""),
    ),
    bind(
        &[code(KeyCode::Esc), code(KeyCode::Backspace)],
        "Esc",
        A::Back,
        Everywhere,
        S::Move,
        ("back", ""),
    ),
    bind(
        &[ch('[')],
        "[ ]",
        A::HistoryBack,
        Everywhere,
        S::Move,
        ("back, forward in history", ""),
    ),
    bind(
        &[ch(']')],
        "]",
        A::HistoryForward,
        Everywhere,
        S::Move,
        ("forward", ""),
    ),
    bind(
        &[ch('-')],
        "-",
        A::LastView,
        Everywhere,
        S::Views,
        ("last view", ""),
    ),
    bind(
        &[ch('n')],
        "n",
        A::NextMatch,
        Everywhere,
        S::Move,
        ("next match or pod", ""),
    ),
    bind(
        &[ch('N')],
        "N",
        A::PreviousMatch,
        Everywhere,
        S::Move,
        ("previous match", ""),
    ),
    bind(&[ch('1')], "1", A::Tab(0), Everywhere, S::Views, ("Overview", "")),
    bind(&[ch('2')], "2", A::Tab(1), Everywhere, S::Views, ("Pods", "")),
    bind(
        &[ch('3')],
        "3",
        A::Tab(2),
        Everywhere,
        S::Views,
        ("Decisions", ""),
    ),
    bind(&[ch('4')], "4", A::Tab(3), Everywhere, S::Views, ("Nodes", "")),
    bind(
        &[ch('5')],
        "5",
        A::Tab(4),
        Everywhere,
        S::Views,
        ("NodePools", ""),
    ),
    bind(
        &[ch('6')],
        "6",
        A::Tab(5),
        Everywhere,
        S::Views,
        ("Instance types", ""),
    ),
    bind(&[ch('7')], "7", A::Tab(6), Everywhere, S::Views, ("Review", "")),
    bind(
        &[ch('8'), ch('T')],
        "8 T",
        A::Tab(7),
        Everywhere,
        S::Views,
        ("Timeline", ""),
    ),
    bind(&[ch('9')], "9", A::Tab(8), Everywhere, S::Views, ("Log", "")),
    // The picture.
    bind(
        &[ch('z')],
        "z",
        A::Zoom,
        Everywhere,
        S::Picture,
        ("zoom the focused pane", "zoom"),
    ),
    bind(
        &[ch('f')],
        "f",
        A::Freeze,
        Everywhere,
        S::Picture,
        ("freeze the picture (autoscaler goes on)", "freeze view"),
    ),
    bind(
        &[ch('t')],
        "t",
        A::Theme,
        Everywhere,
        S::Picture,
        ("next theme", ""),
    ),
    bind(
        &[ctrl('l')],
        "Ctrl-l",
        A::Redraw,
        Everywhere,
        S::Picture,
        ("draw anew", ""),
    ),
    bind(
        &[ch('q')],
        "q",
        A::Quit,
        Everywhere,
        S::Picture,
        ("back; quit at the top", "quit"),
    ),
    bind(
        &[ctrl('c')],
        "Ctrl-C",
        A::QuitNow,
        Everywhere,
        S::Picture,
        ("quit", ""),
    ),
];

/// Whether a binding holds there.
pub fn holds(b: &Binding, screen: Kind, pane: Pane, demo: bool) -> bool {
    match b.on {
        Everywhere => true,
        Screens(all) => all.contains(&screen),
        Panes(all) => all.contains(&pane),
        Demo => demo,
    }
}

/// What a key does there.
pub fn lookup(key: KeyEvent, screen: Kind, pane: Pane, demo: bool) -> Option<Action> {
    // Terminals differ in whether they report shift with a character; the character says it.
    let modifiers = key.modifiers & !KeyModifiers::SHIFT;
    BINDINGS
        .iter()
        .find(|b| holds(b, screen, pane, demo) && b.keys.iter().any(|k| k.0 == key.code && k.1 == modifiers))
        .map(|b| b.action)
}

/// Hints of a place: the keys of the place first, those that hold everywhere after.
pub fn hints(screen: Kind, pane: Pane, demo: bool) -> Vec<(&'static str, &'static str)> {
    let mut seen: Vec<Action> = Vec::new();
    let mut out = Vec::new();
    for own in [true, false] {
        for b in BINDINGS {
            let everywhere = matches!(b.on, Everywhere | Demo);
            if b.hint.is_empty()
                || own == everywhere
                || !holds(b, screen, pane, demo)
                || seen.contains(&b.action)
            {
                continue;
            }
            seen.push(b.action);
            out.push((b.show, b.hint));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
    }

    #[test]
    fn no_view_takes_the_panic_key() {
        for b in BINDINGS.iter().filter(|b| b.keys.contains(&ch('P'))) {
            assert_eq!((b.action, b.on), (Action::PauseAll, Everywhere));
        }
    }

    #[test]
    fn approving_needs_a_place_where_something_can_wait() {
        assert_eq!(
            lookup(press('a'), Kind::Overview, Pane::Recent, true),
            Some(Action::Approve)
        );
        assert_eq!(lookup(press('a'), Kind::Overview, Pane::Nodes, true), None);
        assert_eq!(lookup(press('a'), Kind::Pods, Pane::Pods, true), None);
        assert_eq!(
            lookup(press('x'), Kind::Review, Pane::Why, false),
            Some(Action::Reject)
        );
    }

    #[test]
    fn speed_is_for_demos() {
        assert_eq!(
            lookup(press('>'), Kind::Overview, Pane::Nodes, true),
            Some(Action::Faster)
        );
        assert_eq!(lookup(press('>'), Kind::Overview, Pane::Nodes, false), None);
    }

    #[test]
    fn every_binding_that_holds_everywhere_can_be_reached() {
        for b in BINDINGS.iter().filter(|b| b.on == Everywhere) {
            let reached = b
                .keys
                .iter()
                .any(|k| lookup(KeyEvent::new(k.0, k.1), Kind::Pods, Pane::Pods, true) == Some(b.action));
            assert!(reached, "{}", b.show);
        }
    }
}
