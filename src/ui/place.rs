//! Where a person is: screens and the panes on them.

use std::sync::Arc;

use crate::model::Name;
use crate::model::decision::DecisionId;

/// One screenful. The nine with a number are the tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Screen {
    Overview,
    Pods,
    Decisions,
    Nodes,
    Pools,
    Types,
    Review,
    Timeline,
    Log,
    /// `namespace/name`
    Pod(Name),
    Decision(DecisionId),
    Node(Name),
    /// Prepared text: YAML, JSON, a ranking.
    Page(Arc<Page>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub title: String,
    pub lines: Vec<String>,
}

/// The screen without what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Overview,
    Pods,
    Decisions,
    Nodes,
    Pools,
    Types,
    Review,
    Timeline,
    Log,
    Pod,
    Decision,
    Node,
    Page,
}

/// Part of a screen with a cursor or a scroll position of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pane {
    Pending,
    Recent,
    Nodes,
    Log,
    Chosen,
    Cost,
    Pods,
    Decisions,
    NodeTable,
    LogTable,
    PodHead,
    PodPools,
    PodFit,
    PodNodes,
    PodHistory,
    DecisionHead,
    Ranking,
    Rejected,
    Steps,
    NodeHead,
    NodePods,
    NodeHistory,
    PoolTable,
    PoolSums,
    PoolBudgets,
    PoolNodes,
    TypeTable,
    TypeSums,
    Waiting,
    Before,
    After,
    Moves,
    Why,
    Consequence,
    Lanes,
    Page,
}

impl Screen {
    /// The tabs in order, with their long and short names.
    pub const TABS: [(Self, &'static str, &'static str); 9] = [
        (Self::Overview, "Overview", "Over"),
        (Self::Pods, "Pods", "Pods"),
        (Self::Decisions, "Decisions", "Dec"),
        (Self::Nodes, "Nodes", "Nodes"),
        (Self::Pools, "NodePools", "Pools"),
        (Self::Types, "Types", "Types"),
        (Self::Review, "Review", "Rev"),
        (Self::Timeline, "Timeline", "Time"),
        (Self::Log, "Log", "Log"),
    ];

    pub fn kind(&self) -> Kind {
        match self {
            Self::Overview => Kind::Overview,
            Self::Pods => Kind::Pods,
            Self::Decisions => Kind::Decisions,
            Self::Nodes => Kind::Nodes,
            Self::Pools => Kind::Pools,
            Self::Types => Kind::Types,
            Self::Review => Kind::Review,
            Self::Timeline => Kind::Timeline,
            Self::Log => Kind::Log,
            Self::Pod(_) => Kind::Pod,
            Self::Decision(_) => Kind::Decision,
            Self::Node(_) => Kind::Node,
            Self::Page(_) => Kind::Page,
        }
    }

    /// Which tab is marked while it is open.
    pub fn tab(&self) -> usize {
        match self.kind() {
            Kind::Overview => 0,
            Kind::Pods | Kind::Pod => 1,
            Kind::Decisions | Kind::Decision => 2,
            Kind::Nodes | Kind::Node => 3,
            Kind::Pools => 4,
            Kind::Types => 5,
            Kind::Review => 6,
            Kind::Timeline => 7,
            Kind::Log => 8,
            Kind::Page => usize::MAX,
        }
    }

    /// By the name of a command or of `kerf snapshot`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "overview" | "main" => Self::Overview,
            "pods" => Self::Pods,
            "decisions" => Self::Decisions,
            "nodes" => Self::Nodes,
            "pools" | "nodepools" => Self::Pools,
            "types" => Self::Types,
            "review" => Self::Review,
            "timeline" => Self::Timeline,
            "log" => Self::Log,
            _ => return None,
        })
    }

    pub fn title(&self) -> String {
        match self {
            Self::Pod(name) => format!("Pod {name}"),
            Self::Decision(id) => format!("Decision {id}"),
            Self::Node(name) => format!("Node {name}"),
            Self::Page(page) => page.title.clone(),
            _ => Self::TABS
                .get(self.tab())
                .map_or_else(String::new, |(_, long, _)| (*long).to_owned()),
        }
    }

    /// Panes in the order of Tab; the first has the keys when the screen opens.
    pub fn panes(&self) -> &'static [Pane] {
        match self.kind() {
            Kind::Overview => &[
                Pane::Nodes,
                Pane::Log,
                Pane::Chosen,
                Pane::Cost,
                Pane::Pending,
                Pane::Recent,
            ],
            Kind::Pods => &[Pane::Pods],
            Kind::Decisions => &[Pane::Decisions],
            Kind::Nodes => &[Pane::NodeTable],
            Kind::Pools => &[
                Pane::PoolTable,
                Pane::PoolSums,
                Pane::PoolBudgets,
                Pane::PoolNodes,
            ],
            Kind::Types => &[Pane::TypeTable, Pane::TypeSums],
            Kind::Review => &[
                Pane::Waiting,
                Pane::Before,
                Pane::After,
                Pane::Moves,
                Pane::Why,
                Pane::Consequence,
            ],
            Kind::Timeline => &[Pane::Lanes],
            Kind::Log => &[Pane::LogTable],
            Kind::Pod => &[
                Pane::PodPools,
                Pane::PodFit,
                Pane::PodNodes,
                Pane::PodHistory,
                Pane::PodHead,
            ],
            Kind::Decision => &[Pane::Ranking, Pane::Rejected, Pane::Steps, Pane::DecisionHead],
            Kind::Node => &[Pane::NodePods, Pane::NodeHistory, Pane::NodeHead],
            Kind::Page => &[Pane::Page],
        }
    }
}
