//! The server as a value: what the world's own controllers call, and what the wire is built on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::delete::DeleteOptions;
use super::kinds::{Kind, Kinds};
use super::object::Stored;
use super::state::{StateError, StateFile};
use super::status::StatusError;
use super::store::{Change, Store};
use super::write::{Part, Writer};
use crate::clock::Clock;

/// What a server starts from.
#[derive(Debug)]
pub struct Config {
    pub clock: Clock,
    /// Of uids and generated names.
    pub seed: u64,
    /// Where every write is kept; `None` keeps the world in memory.
    pub state: Option<StateFile>,
}

/// The embedded Kubernetes API server. Cheap to clone; every clone is the same server.
#[derive(Clone, Debug)]
pub struct ApiServer(pub(super) Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    store: Mutex<Store>,
    kinds: ArcSwap<Kinds>,
    clock: Clock,
    /// The runtime whose time the clock follows: requests of the loopback port come from another.
    home: Option<Handle>,
    pub(super) seed: u64,
    pub(super) traffic: Mutex<Traffic>,
    pub(super) events: Mutex<super::expiry::Queue>,
}

/// Requests by client name.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub requests: BTreeMap<String, u64>,
    pub writes: BTreeMap<String, u64>,
    /// Client → what RBAC would have to allow it, as `verb resource.group`.
    pub uses: BTreeMap<String, BTreeSet<String>>,
}

impl Shared {
    /// Never held across an await. A poisoned store is used on: every change of it is one step.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn kinds(&self) -> Arc<Kinds> {
        self.kinds.load_full()
    }

    pub fn kind(&self, key: &str) -> Result<Arc<Kind>, StatusError> {
        self.kinds
            .load()
            .get(key)
            .cloned()
            .ok_or_else(StatusError::no_resource)
    }

    pub fn set_kinds(&self, change: impl Fn(&mut Kinds)) {
        self.kinds.rcu(|kinds| {
            let mut kinds = Kinds::clone(kinds);
            change(&mut kinds);
            kinds
        });
    }

    /// The time of the world, also on threads that live in another.
    pub fn now(&self) -> Timestamp {
        let _home = self.home.as_ref().map(Handle::enter);
        self.clock.now()
    }
}

impl ApiServer {
    /// Opens the state, registers the autoscaler's custom resources and makes the namespaces of a fresh cluster.
    /// Call it inside the runtime whose time the clock follows.
    pub fn new(config: Config) -> Result<Self, StateError> {
        let mut kinds = Kinds::builtin();
        let store = Store::open(config.state, &mut kinds)?;
        let server = Self(Arc::new(Shared {
            store: Mutex::new(store),
            kinds: ArcSwap::from_pointee(kinds),
            clock: config.clock,
            home: Handle::try_current().ok(),
            seed: config.seed,
            traffic: Mutex::default(),
            events: Mutex::default(),
        }));
        server.0.requeue_events();
        server
            .furnish()
            .map_err(|error| StateError::Storage(error.message))?;
        Ok(server)
    }

    fn furnish(&self) -> Result<(), StatusError> {
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            if self.get("namespaces", "", name).is_none() {
                self.create("namespaces", "", json!({"metadata": {"name": name}}))?;
            }
        }
        for definition in super::glue::definitions() {
            let name = super::object::meta_str(&definition, "name").to_owned();
            if self.get(super::DEFINITIONS, "", &name).is_none() {
                self.create(super::DEFINITIONS, "", definition)?;
            }
        }
        Ok(())
    }

    /// `kind` is a key such as `deployments.apps`; `namespace` is empty for cluster-scoped kinds.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Arc<Stored>> {
        self.0.store().get(kind, namespace, name)
    }

    /// All objects of a kind, by namespace, then name.
    pub fn list(&self, kind: &str) -> Vec<Arc<Stored>> {
        self.0.store().objects(kind).values().cloned().collect()
    }

    /// Like a POST, but a given status is kept. The object need not name its kind or namespace.
    pub fn create(&self, kind: &str, namespace: &str, object: Value) -> Result<Arc<Stored>, StatusError> {
        let kind = self.0.kind(kind)?;
        self.0.create(&kind, namespace, object, &Writer::world())
    }

    /// The kind that an object of this `apiVersion` and `kind` belongs to; an empty version finds the first of that name.
    pub fn kind_of(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let kinds = self.0.kinds();
        kinds
            .iter()
            .find(|k| k.kind == kind && (api_version.is_empty() || k.group == group))
            .cloned()
    }

    /// Changes the whole object, status included, atomically; `change` may run again when another write came
    /// between. `None` when nothing changed, or when the change completed a deletion.
    pub fn update(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        change: &mut dyn FnMut(&mut Value),
    ) -> Result<Option<Arc<Stored>>, StatusError> {
        let kind = self.0.kind(kind)?;
        let done = self.0.update(
            &kind,
            namespace,
            name,
            Part::Whole,
            &Writer::world(),
            &mut |live| {
                let mut next = live.clone();
                change(&mut next);
                Ok(next)
            },
        )?;
        Ok(done.changed.then_some(done.object))
    }

    /// Like a DELETE: may only mark the object.
    pub fn delete(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<(), StatusError> {
        let kind = self.0.kind(kind)?;
        self.0.delete(&kind, namespace, name, options, false).map(|_| ())
    }

    /// Every change of these kinds from now on, in version order.
    pub fn subscribe(&self, kinds: &[&str]) -> mpsc::UnboundedReceiver<Change> {
        self.0.store().subscribe(kinds)
    }

    /// Mutating requests by client, accepted or refused, without dry runs; the world's own writes are not requests.
    pub fn writes(&self) -> BTreeMap<String, u64> {
        let traffic = self.0.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.writes.clone()
    }

    /// All requests by client.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        let traffic = self.0.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.requests.clone()
    }

    /// What RBAC would have to allow a client for all that it asked so far: `patch nodes`, `create pods/eviction`,
    /// `patch nodeclaims/status.karpenter.sh`.
    pub fn uses(&self, client: &str) -> BTreeSet<String> {
        let traffic = self.0.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.uses.get(client).cloned().unwrap_or_default()
    }

    /// The store's counter.
    pub fn version(&self) -> u64 {
        self.0.store().version()
    }

    /// Forgets all history now: every watch has to list again.
    pub fn compact(&self) {
        self.0.store().compact();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::apiserver::testing::server;

    #[tokio::test(start_paused = true)]
    async fn a_fresh_cluster_has_its_namespaces() {
        let server = server();
        let names: Vec<String> = server
            .list("namespaces")
            .iter()
            .map(|n| n.name.to_string())
            .collect();
        assert_eq!(
            names,
            ["default", "kube-node-lease", "kube-public", "kube-system"]
        );
        assert_eq!(server.list("namespaces")[0].value()["status"]["phase"], "Active");
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_seed_gives_the_same_uids() {
        let make = || {
            let server = server();
            let first = server
                .create(
                    "pods",
                    "default",
                    json!({"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}),
                )
                .unwrap();
            let second = server
                .create(
                    "pods",
                    "default",
                    json!({"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}),
                )
                .unwrap();
            assert_ne!(first.name, second.name);
            (first.name.clone(), first.uid.clone(), second.uid.clone())
        };
        assert_eq!(make(), make());
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_of_nothing_is_no_write() {
        let server = server();
        let made = server
            .create("nodes", "", json!({"metadata": {"name": "n1"}}))
            .unwrap();
        let none = server.update("nodes", "", "n1", &mut |_| {}).unwrap();
        assert!(none.is_none());
        assert_eq!(server.version(), made.version);
        let some = server
            .update("nodes", "", "n1", &mut |node| {
                node["status"] = json!({"phase": "x"});
            })
            .unwrap()
            .unwrap();
        assert_eq!(some.version, made.version + 1);
    }
}
