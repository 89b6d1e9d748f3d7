//! Keys that act on what is shown, and those that supervise.

use crossterm::event::KeyCode;

use super::{
    Action as A, Binding,
    On::{Demo, DemoPanes, DemoScreens, Everywhere, Panes, Screens},
    Section as S, bind, ch, code, ctrl,
};
use crate::ui::place::{Kind, Pane};

const DECIDABLE: &[Pane] = &[Pane::Recent, Pane::Decisions, Pane::Waiting];
const REVIEWED: &[Kind] = &[Kind::Review, Kind::Decision, Kind::Overview, Kind::Decisions];
const PLACES: &[Kind] = &[Kind::Overview, Kind::Nodes, Kind::Node, Kind::Pools, Kind::Review];
const EXPLAINED: &[Kind] = &[
    Kind::Pod,
    Kind::Node,
    Kind::Overview,
    Kind::Pods,
    Kind::Nodes,
    Kind::Decisions,
    Kind::Pools,
    Kind::Review,
];

const NODES: &[Pane] = &[Pane::Nodes, Pane::NodeTable, Pane::PoolNodes];
const NODE: &[Kind] = &[Kind::Node];
const TYPES: &[Pane] = &[Pane::Chosen, Pane::TypeTable];

const CORDON: (&str, &str) = ("cordon, uncordon the node", "");
const DRAIN: (&str, &str) = ("drain the node; asks", "");
const TERMINATE: (&str, &str) = ("terminate NodeClaim; asks", "");
const INTERRUPT: (&str, &str) = ("interrupt the spot node", "");

pub const HERE: &[Binding] = &[
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
        ("approve what waits", "approve"),
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
        ("reject it, with a reason", "reject"),
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
        ("approve all that wait", "approve all"),
    ),
    bind(
        &[ch('u')],
        "u",
        A::Undo,
        Everywhere,
        S::Supervise,
        ("undo the last approval", ""),
    ),
    bind(
        &[ch('C')],
        "C",
        A::Consolidate,
        Screens(PLACES),
        S::View,
        ("consolidate this or all", "consolidate now"),
    ),
    bind(
        &[ch('X')],
        "X",
        A::Explain,
        Screens(EXPLAINED),
        S::View,
        ("explain the selected row", ""),
    ),
    bind(&[ch('K')], "K", A::Cordon, Panes(NODES), S::View, CORDON),
    bind(
        &[ch('K')],
        "K",
        A::Cordon,
        Screens(NODE),
        S::View,
        (CORDON.0, "cordon"),
    ),
    bind(&[ch('D')], "D", A::Drain, Panes(NODES), S::View, DRAIN),
    bind(
        &[ch('D')],
        "D",
        A::Drain,
        Screens(NODE),
        S::View,
        (DRAIN.0, "drain"),
    ),
    bind(
        &[ctrl('x')],
        "Ctrl-x",
        A::Terminate,
        Panes(NODES),
        S::View,
        TERMINATE,
    ),
    bind(
        &[ctrl('x')],
        "Ctrl-x",
        A::Terminate,
        Screens(NODE),
        S::View,
        TERMINATE,
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
        ("pause menu: all or a part", "pause"),
    ),
    bind(
        &[ch('P')],
        "P",
        A::PauseAll,
        Everywhere,
        S::Supervise,
        ("pause all; again resumes", ""),
    ),
    bind(
        &[ch('M')],
        "M",
        A::ModePicker,
        Everywhere,
        S::Supervise,
        ("choose the mode", ""),
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
        &[ch('R')],
        "R",
        A::Record,
        Everywhere,
        S::Supervise,
        ("record; again ends it", ""),
    ),
    // The world of a demo.
    bind(
        &[ch('>')],
        "< >",
        A::Faster,
        Demo,
        S::World,
        ("time slower, faster", "speed"),
    ),
    bind(&[ch('<')], "<", A::Slower, Demo, S::World, ("", "")),
    bind(
        &[ch('B')],
        "B",
        A::Burst,
        Demo,
        S::World,
        ("a burst of 20 pods", "burst"),
    ),
    bind(
        &[ch('!')],
        "!",
        A::Interrupt,
        DemoPanes(NODES),
        S::World,
        INTERRUPT,
    ),
    bind(
        &[ch('!')],
        "!",
        A::Interrupt,
        DemoScreens(NODE),
        S::World,
        INTERRUPT,
    ),
    bind(
        &[ch('I')],
        "I",
        A::NoCapacity,
        DemoPanes(TYPES),
        S::World,
        ("no capacity of type, 5m", "no capacity"),
    ),
];
