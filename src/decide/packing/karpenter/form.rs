//! Shapes of pods, and what a shape demands at each step of relaxation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::Solver;
use crate::api::names;
use crate::decide::scheduling::prepare::Prepared;
use crate::decide::scheduling::topology::Membership;
use crate::decide::scheduling::{Purpose, buffers, demand, relax, volumes};
use crate::model::decision::Refusal;
use crate::model::taints::untolerated;
use crate::model::{Labels, Name, Phase, Pod, PodSpec, Requirement, Requirements, Resources};

/// Pods that no rule can tell apart.
#[derive(Debug)]
pub struct Shape {
    /// One of them.
    pub pod: Arc<Pod>,
    pub labels: Arc<Labels>,
    /// May use nodes that rest (`scheduling §15.3`, simulations).
    pub roams: bool,
    /// Its volumes cannot be looked up, which upstream takes for no volumes and no topology (Q12, parity only).
    pub stray: bool,
    /// Form of each step of relaxation so far.
    pub levels: Vec<usize>,
    /// Nothing is left to give up after the last level.
    pub exhausted: bool,
    /// Template at which its last attempt ended for want of reserved capacity.
    pub deferred: Option<usize>,
    /// It had no place at that version.
    pub failed_at: Option<u64>,
}

/// What a shape demands at one step of relaxation.
#[derive(Debug, Default)]
pub struct Form {
    pub spec: Arc<PodSpec>,
    pub requests: Resources,
    /// Requirements by arena number, hostname left out.
    pub demand: u32,
    pub requirements: Requirements,
    pub hostname: Option<Requirement>,
    pub strict: Requirements,
    /// What the joined requirements no longer say; empty with parity.
    pub forgotten: demand::Forgotten,
    /// Arena numbers of the volume alternatives, and the alternatives.
    pub volumes: Vec<(u32, Requirements)>,
    pub mounted: volumes::Mounted,
    pub member: Membership,
    /// Nodes that may still take it.
    pub nodes: FixedBitSet,
    /// Claims that never will.
    pub refused: FixedBitSet,
    /// By template: taints tolerated.
    pub tolerated: Vec<bool>,
    /// By template: why it never opens a claim for the form, where that cannot change.
    pub pools_refused: BTreeMap<usize, Option<Refusal>>,
}

type ShapeKey = (u32, Name, Vec<Option<Name>>, bool, bool);

/// Sorts pods into shapes.
#[derive(Debug)]
pub struct Shapes {
    /// Label keys that some selector reads.
    keys: BTreeSet<Name>,
    by_address: BTreeMap<usize, u32>,
    by_spec: BTreeMap<Arc<PodSpec>, u32>,
    known: BTreeMap<ShapeKey, usize>,
    /// Pods of one owner mostly share both: addresses of spec and labels → namespace, and the shape there.
    shared: BTreeMap<(usize, usize, bool, bool), (Name, usize)>,
}

fn selector_keys(spec: &PodSpec, keys: &mut BTreeSet<Name>) {
    for constraint in &spec.spread {
        keys.extend(constraint.match_label_keys.iter().cloned());
        if let Some(selector) = &constraint.selector {
            keys.extend(selector.keys().cloned());
        }
    }
    for selector in spec
        .affinity
        .iter()
        .chain(&spec.anti_affinity)
        .filter_map(|t| t.selector.as_ref())
    {
        keys.extend(selector.keys().cloned());
    }
}

impl Shapes {
    pub fn new(p: &Prepared, pods: &[(Name, Arc<Pod>)]) -> Self {
        let mut out = Self {
            keys: BTreeSet::new(),
            by_address: BTreeMap::new(),
            by_spec: BTreeMap::new(),
            known: BTreeMap::new(),
            shared: BTreeMap::new(),
        };
        for (_, pod) in pods {
            out.spec_id(&pod.spec);
        }
        for spec in out.by_spec.keys() {
            selector_keys(spec, &mut out.keys);
        }
        for (_, pod) in &p.counts().carriers {
            selector_keys(&pod.spec, &mut out.keys);
        }
        out
    }

    fn spec_id(&mut self, spec: &Arc<PodSpec>) -> u32 {
        let address = Arc::as_ptr(spec) as usize;
        if let Some(id) = self.by_address.get(&address) {
            return *id;
        }
        let next = u32::try_from(self.by_spec.len()).unwrap_or(u32::MAX);
        let id = *self.by_spec.entry(spec.clone()).or_insert(next);
        self.by_address.insert(address, id);
        id
    }

    /// The pod's shape, and the shape itself when it is the first of it.
    pub fn of(&mut self, p: &Prepared, pod: &Arc<Pod>, purpose: Purpose) -> (usize, Option<Shape>) {
        // Upstream's virtual pods have no phase (Q27).
        let nowhere = p.settings.parity && buffers::is_virtual(pod);
        let roams = purpose == Purpose::Provision
            || !nowhere
                && (pod.phase == Phase::Pending
                    || pod
                        .node
                        .as_ref()
                        .and_then(|n| p.node_ids.get(n))
                        .is_none_or(|i| p.nodes[*i].state.marked));
        let stray = p.settings.parity
            && pod.node.is_some()
            && !pod.spec.volume_claims.is_empty()
            && volumes::lookup(&p.snapshot, pod).is_err();
        let address = (
            Arc::as_ptr(&pod.spec) as usize,
            Arc::as_ptr(&pod.labels) as usize,
            roams,
            stray,
        );
        if let Some((namespace, id)) = self.shared.get(&address)
            && *namespace == pod.namespace
        {
            return (*id, None);
        }
        let (id, fresh) = self.of_content(pod, roams, stray);
        self.shared.insert(address, (pod.namespace.clone(), id));
        (id, fresh)
    }

    fn of_content(&mut self, pod: &Arc<Pod>, roams: bool, stray: bool) -> (usize, Option<Shape>) {
        let labels: Vec<Option<Name>> = self.keys.iter().map(|k| pod.labels.get(k).cloned()).collect();
        let key = (
            self.spec_id(&pod.spec),
            pod.namespace.clone(),
            labels,
            roams,
            stray,
        );
        if let Some(id) = self.known.get(&key) {
            return (*id, None);
        }
        let id = self.known.len();
        self.known.insert(key, id);
        let shape = Shape {
            pod: pod.clone(),
            labels: pod.labels.clone(),
            roams,
            stray,
            levels: Vec::new(),
            exhausted: false,
            deferred: None,
            failed_at: None,
        };
        (id, Some(shape))
    }
}

impl Solver<'_> {
    /// The form of a shape at a step of relaxation; `None` past the last.
    pub(super) fn form(&mut self, shape: usize, level: usize) -> Option<usize> {
        while self.shapes[shape].levels.len() <= level {
            let spec = match self.shapes[shape].levels.last() {
                None => self.shapes[shape].pod.spec.clone(),
                Some(_) if self.shapes[shape].exhausted => return None,
                Some(last) => {
                    let Some(next) = relax::step(&self.forms[*last].spec, self.prefer_taints) else {
                        self.shapes[shape].exhausted = true;
                        return None;
                    };
                    Arc::new(next)
                }
            };
            let form = self.make_form(shape, spec);
            let id = self.forms.len();
            self.forms.push(form);
            self.shapes[shape].levels.push(id);
        }
        self.shapes[shape].levels.get(level).copied()
    }

    /// The form with everything given up that can be.
    pub(super) fn last_form(&mut self, shape: usize) -> usize {
        let mut level = 0;
        let mut last = 0;
        while let Some(form) = self.form(shape, level) {
            last = form;
            level += 1;
        }
        last
    }

    fn make_form(&mut self, shape: usize, spec: Arc<PodSpec>) -> Form {
        let shape = &self.shapes[shape];
        let pod = &shape.pod;
        let strict = demand::strict(&spec);
        let mut requirements = if self.p.settings.ignore_preferences {
            strict.clone()
        } else {
            demand::all(&spec)
        };
        let mut nodes = self.p.node_labels.all_matching(&requirements);
        nodes.intersect_with(&self.open_nodes);
        nodes.intersect_with(&self.p.tolerated(&spec.tolerations));
        if !shape.roams {
            nodes.difference_with(&self.resting);
        }
        let forgotten = if self.p.settings.parity {
            demand::Forgotten::default()
        } else {
            demand::forgotten(&spec, !self.p.settings.ignore_preferences)
        };
        for key in &forgotten.present {
            nodes.intersect_with(&self.p.node_labels.matching(&Requirement::exists(key)));
        }
        if forgotten.contradiction.is_some() {
            nodes.clear();
        }
        let hostname = requirements.0.remove(names::HOSTNAME);
        let mut alternatives = Vec::new();
        let mut mounted = volumes::Mounted::new();
        let whole = if self.p.settings.parity { &spec } else { &pod.spec };
        let member = if shape.stray {
            nodes.clear();
            let without_rules = PodSpec::default();
            let labels = &shape.labels;
            self.topology
                .join(&without_rules, &without_rules, &pod.namespace, labels)
        } else {
            alternatives = volumes::alternatives(&self.p.snapshot, pod);
            if !alternatives.is_empty() {
                let mut some = FixedBitSet::with_capacity(nodes.len());
                for alternative in &alternatives {
                    some.union_with(&self.p.node_labels.all_matching(alternative));
                }
                nodes.intersect_with(&some);
            }
            volumes::mount(&self.p.snapshot, pod, &mut mounted);
            self.topology.join(&spec, whole, &pod.namespace, &shape.labels)
        };
        let tolerated = self
            .p
            .templates
            .usable
            .iter()
            .map(|t| {
                untolerated(&t.pool.template.taints, &spec.tolerations)
                    .next()
                    .is_none()
            })
            .collect();
        Form {
            requests: spec.requests.clone(),
            demand: self.arena.demand(requirements.clone()),
            requirements,
            hostname,
            strict,
            forgotten,
            volumes: alternatives
                .into_iter()
                .map(|a| (self.arena.demand(a.clone()), a))
                .collect(),
            mounted,
            member,
            nodes,
            refused: FixedBitSet::new(),
            tolerated,
            pools_refused: BTreeMap::new(),
            spec,
        }
    }
}
