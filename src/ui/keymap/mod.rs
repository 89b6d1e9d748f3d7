//! The one table of keys: it drives input, hint lines and help (screens, "Key map").

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::place::{Kind, Pane};

mod around;
mod here;

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
    Cordon,
    Drain,
    Terminate,
    Record,
    NoCapacity,
    Interrupt,
    Burst,
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
    /// Only with an embedded world, on these panes.
    DemoPanes(&'static [Pane]),
    /// Only with an embedded world, on these screens.
    DemoScreens(&'static [Kind]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    View,
    Move,
    Views,
    Supervise,
    /// What a demo lets a person do to its world.
    World,
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

/// All bindings; earlier ones win over later ones of the same key.
pub fn bindings() -> impl Iterator<Item = &'static Binding> {
    here::HERE.iter().chain(around::AROUND)
}

/// Whether a binding holds there.
pub fn holds(b: &Binding, screen: Kind, pane: Pane, demo: bool) -> bool {
    match b.on {
        On::Everywhere => true,
        On::Screens(all) => all.contains(&screen),
        On::Panes(all) => all.contains(&pane),
        On::Demo => demo,
        On::DemoPanes(all) => demo && all.contains(&pane),
        On::DemoScreens(all) => demo && all.contains(&screen),
    }
}

/// What a key does there.
pub fn lookup(key: KeyEvent, screen: Kind, pane: Pane, demo: bool) -> Option<Action> {
    // Terminals differ in whether they report shift with a character; the character says it.
    let modifiers = key.modifiers & !KeyModifiers::SHIFT;
    bindings()
        .find(|b| holds(b, screen, pane, demo) && b.keys.iter().any(|k| k.0 == key.code && k.1 == modifiers))
        .map(|b| b.action)
}

/// Hints of a place: the keys of the place first, those that hold everywhere after. Without a decision that waits
/// (`decidable`) nothing speaks of approving.
pub fn hints(screen: Kind, pane: Pane, demo: bool, decidable: bool) -> Vec<(&'static str, &'static str)> {
    let mut seen: Vec<Action> = Vec::new();
    let mut out = Vec::new();
    for own in [true, false] {
        for b in bindings() {
            let everywhere = matches!(
                b.on,
                On::Everywhere | On::Demo | On::DemoPanes(_) | On::DemoScreens(_)
            );
            if b.hint.is_empty()
                || own == everywhere
                || !holds(b, screen, pane, demo)
                || seen.contains(&b.action)
                || (!decidable && matches!(b.action, Action::Approve | Action::ApproveAll | Action::Reject))
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
        for b in bindings().filter(|b| b.keys.contains(&ch('P'))) {
            assert_eq!((b.action, b.on), (Action::PauseAll, On::Everywhere));
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
        for b in bindings().filter(|b| b.on == On::Everywhere) {
            let reached = b
                .keys
                .iter()
                .any(|k| lookup(KeyEvent::new(k.0, k.1), Kind::Pods, Pane::Pods, true) == Some(b.action));
            assert!(reached, "{}", b.show);
        }
    }
}
