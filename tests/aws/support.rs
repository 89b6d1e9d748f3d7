//! An embedded EC2 with both halves of the provider over it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use kerf::api::names;
use kerf::clock::Clock;
use kerf::cloud::aws::{Reader, Settings, Writer, reader, writer};
use kerf::cloud::port::{CloudError, CloudRead, CloudWrite, LaunchResult};
use kerf::model::{Catalogue, Claim, Name, NodeClass, Requirement, Resources};
use kerf::world::ec2::{Ec2, Ec2Config, SinkError, StateSink};
use serde_json::json;

pub struct Rig {
    pub ec2: Ec2,
    pub reader: Reader,
    pub writer: Writer,
    pub class: NodeClass,
    pub clock: Clock,
}

pub fn start() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().expect("time")
}

pub fn config(clock: Clock) -> Ec2Config {
    let mut out = Ec2Config::new(7, clock, "demo");
    out.interruptions = 0.0;
    out
}

pub async fn rig() -> Rig {
    let clock = Clock::starting_at(start());
    rig_on(Ec2::new(config(clock)).expect("ec2"), clock).await
}

pub async fn rig_on(ec2: Ec2, clock: Clock) -> Rig {
    rig_with(ec2, clock, |_| {}).await
}

pub async fn rig_with(ec2: Ec2, clock: Clock, change: impl FnOnce(&mut Settings)) -> Rig {
    let mut settings = Settings::new("demo", "us-east-1");
    settings.cluster_endpoint = "https://demo.example".into();
    settings.cluster_cidr = "10.100.0.0/16".into();
    change(&mut settings);
    let shared = Arc::new(ec2.clone());
    let reader = reader(shared.clone(), settings.clone(), clock).with_queue(shared.clone());
    let writer = writer(shared.clone(), shared.clone(), reader.stock(), settings, clock).with_iam(shared);
    let discovery = json!([{"tags": {"karpenter.sh/discovery": "demo"}}]);
    let spec = json!({
        "amiSelectorTerms": [{"alias": "al2023@latest"}],
        "subnetSelectorTerms": discovery,
        "securityGroupSelectorTerms": discovery,
        "role": "demo-nodes",
        "tags": {"team": "shop"},
    });
    let mut class = NodeClass {
        name: "general".into(),
        uid: "class".into(),
        generation: 1,
        created: start(),
        deleting: None,
        finalizers: Vec::new(),
        spec: Arc::new(serde_json::from_value(spec).expect("spec")),
        hash: "42".into(),
        conditions: BTreeMap::default(),
        resolved: None,
    };
    class.resolved = Some(reader.resolve(&class).await.expect("resolved"));
    Rig {
        ec2,
        reader,
        writer,
        class,
        clock,
    }
}

impl Rig {
    /// Another generation of the class, resolved.
    pub async fn edit_class(&mut self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut spec = serde_json::to_value(&*self.class.spec).expect("json");
        change(&mut spec);
        self.class.spec = Arc::new(serde_json::from_value(spec).expect("spec"));
        self.class.generation += 1;
        self.class.resolved = Some(self.reader.resolve(&self.class).await.expect("resolved"));
    }

    pub async fn catalogue(&self) -> Arc<Catalogue> {
        self.reader.catalogue(&self.class).await.expect("catalogue")
    }

    pub async fn launch(&self, claim: &Claim, token: &str) -> Result<LaunchResult, CloudError> {
        let catalogue = self.catalogue().await;
        self.writer.launch(claim, &self.class, &catalogue, token).await
    }
}

pub fn claim(name: &str, types: &[&str], markets: &[&str]) -> Claim {
    Claim {
        name: name.into(),
        uid: format!("uid-{name}").into(),
        generation: 1,
        labels: [
            (names::NODEPOOL.into(), "web".into()),
            ("tier".into(), "front".into()),
        ]
        .into(),
        annotations: BTreeMap::default(),
        created: start(),
        deleting: None,
        finalizers: Vec::new(),
        class: kerf::model::nodepool::ClassRef::default(),
        requirements: [
            Requirement::is_in(names::INSTANCE_TYPE, types.iter().copied()),
            Requirement::is_in(names::CAPACITY_TYPE, markets.iter().copied()),
        ]
        .into_iter()
        .collect(),
        requests: Resources {
            cpu: 500,
            memory: 512 << 20,
            pods: 3,
            ..Resources::default()
        },
        taints: Vec::new(),
        startup_taints: Vec::new(),
        expire_after: None,
        termination_grace: None,
        provider_id: "".into(),
        node_name: "".into(),
        image_id: "".into(),
        capacity: Resources::default(),
        allocatable: Resources::default(),
        last_pod_event: None,
        conditions: BTreeMap::default(),
    }
}

/// A state file in memory.
#[derive(Debug, Default)]
pub struct Disk(Mutex<BTreeMap<(String, String), Vec<u8>>>);

impl StateSink for Disk {
    fn put(&self, table: &str, key: &str, value: &[u8]) -> Result<(), SinkError> {
        let mut disk = self.0.lock().expect("disk");
        disk.insert((table.into(), key.into()), value.into());
        Ok(())
    }

    fn remove(&self, table: &str, key: &str) -> Result<(), SinkError> {
        self.0.lock().expect("disk").remove(&(table.into(), key.into()));
        Ok(())
    }

    fn load(&self, table: &str) -> Result<Vec<(String, Vec<u8>)>, SinkError> {
        let disk = self.0.lock().expect("disk");
        Ok(disk
            .iter()
            .filter(|((t, _), _)| t == table)
            .map(|((_, k), v)| (k.clone(), v.clone()))
            .collect())
    }
}

/// The id at the end of a provider id.
pub fn id_of(result: &LaunchResult) -> Name {
    result.launched.provider_id.rsplit('/').next().expect("id").into()
}
