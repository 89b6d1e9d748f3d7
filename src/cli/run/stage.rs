//! The engine on a cluster and a cloud that are already reached: everything between the ports and the face. Tests
//! stand it on the embedded world.

use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::watch;

use super::guarded::{Fenced, LeadersQueue};
use crate::act::lease::LeaseName;
use crate::act::{Actor, Writer};
use crate::cli::supervised::unwatched;
use crate::clock::Clock;
use crate::cloud::CloudRead;
use crate::cloud::aws;
use crate::cloud::aws::api::{Ec2Read, Ec2Write, Iam, Queue};
use crate::engine::elect::Elector;
use crate::engine::handle::Desk;
use crate::engine::{Ended, Engine, Parts};
use crate::gate::{Fence, Lead, Mode, Seat, Supervision};
use crate::ledger::Book;
use crate::ledger::book::Listener;
use crate::ledger::recorder::Recorder;
use crate::model::Name;
use crate::observe::{CloudWatch, Objects, Observer};

/// Both outsides. `writer` and `ec2_write` are called only where the mode writes.
pub struct Ground {
    pub clock: Clock,
    /// Refuses to write.
    pub reader: kube::Client,
    pub writer: Rc<dyn Fn() -> Writer>,
    pub ec2: Arc<dyn Ec2Read>,
    /// `None` in observe.
    pub ec2_write: Option<Arc<dyn Ec2Write>>,
    /// `None` in observe, and where profiles are not made here.
    pub iam: Option<Arc<dyn Iam>>,
    pub queue: Option<Arc<dyn Queue>>,
    pub aws: aws::Settings,
}

/// How this run shall be.
pub struct Orders {
    pub supervision: Supervision,
    pub settings: crate::decide::Settings,
    /// The context, as the screen names it.
    pub source: Name,
    pub recorder: Option<Recorder>,
    pub recording: Option<String>,
    pub election: Option<Election>,
    pub watched: bool,
}

/// Where and as whom to campaign, and how to start the elector: as a task, or on a thread of its own.
pub struct Election {
    pub lease: LeaseName,
    pub me: Name,
    pub start: Box<dyn FnOnce(Campaign)>,
}

/// What an elector needs of the engine's side.
pub struct Campaign {
    pub clock: Clock,
    lease: LeaseName,
    me: Name,
    fence: Fence,
    lead: watch::Sender<Lead>,
    mode: watch::Receiver<Mode>,
}

impl Campaign {
    /// With clients of the runtime that it will run on.
    pub fn elector(self, look: Objects, writer: Box<dyn Fn() -> Writer + Send + Sync>) -> Elector {
        Elector {
            clock: self.clock,
            lease: self.lease,
            me: self.me,
            look,
            writer,
            fence: self.fence,
            lead: self.lead,
            mode: self.mode,
        }
    }
}

/// Runs until told to quit. Call inside a `LocalSet`.
pub async fn live(ground: Ground, orders: Orders, desk: Desk, listener: Option<Listener>) -> Ended {
    let clock = ground.clock;
    let mode = orders.supervision.policies.mode;
    let (mode_out, mode_in) = watch::channel(mode);
    let (fence, seat, alone) = seat(orders.election, mode_out, &mode_in, clock);

    let reading = aws::reader(ground.ec2.clone(), ground.aws.clone(), clock);
    let reading = match ground.queue {
        Some(inner) => reading.with_queue(Arc::new(LeadersQueue {
            inner,
            fence: fence.clone(),
            mode: mode_in,
            clock,
        })),
        None => reading,
    };
    let stock = reading.stock();
    let mut book = Book::new(orders.recorder, listener);
    if orders.watched {
        book = book.keeping();
    }
    let host = &mut book.view_mut().host;
    host.recording = orders.recording;
    host.prices = prices(&ground.aws);
    let (writer, aws) = (ground.writer, ground.aws.clone());
    let iam = ground.iam;
    let actor = ground.ec2_write.map(|inner| -> Box<dyn Fn() -> Actor> {
        let ec2 = ground.ec2;
        Box::new(move || {
            let write = Arc::new(Fenced {
                inner: inner.clone(),
                fence: fence.clone(),
                clock,
            });
            let mut cloud = aws::writer(ec2.clone(), write, stock.clone(), aws.clone(), clock);
            if let Some(inner) = &iam {
                cloud = cloud.with_iam(Arc::new(Fenced {
                    inner: inner.clone(),
                    fence: fence.clone(),
                    clock,
                }));
            }
            Actor::new(writer().behind(fence.clone(), clock), Rc::new(cloud))
        })
    });
    let ended = Engine::run(Parts {
        clock,
        observer: Observer::start_with(
            &ground.reader,
            clock,
            &ground.aws.cluster_ca,
            &unwatched(&orders.settings),
        ),
        cloud: CloudWatch::new(Rc::new(reading) as Rc<dyn CloudRead>, clock),
        objects: Objects::new(ground.reader),
        actor,
        book,
        desk,
        settings: orders.settings,
        supervision: orders.supervision,
        source: orders.source,
        region: ground.aws.region.clone(),
        until: None,
        speed: None,
        stage: None,
        watched: orders.watched,
        seat: Some(seat),
    })
    .await;
    drop(alone);
    ended
}

/// Without an election this process leads from the start; the sender keeps it so.
fn seat(
    election: Option<Election>,
    mode_out: watch::Sender<Mode>,
    mode_in: &watch::Receiver<Mode>,
    clock: Clock,
) -> (Fence, Seat, Option<watch::Sender<Lead>>) {
    let (lead, lead_in) = watch::channel(Lead::default());
    let seat = Seat {
        lead: lead_in,
        mode: mode_out,
    };
    let Some(election) = election else {
        let me: Name = "alone".into();
        lead.send_replace(Lead {
            me: me.clone(),
            holder: me,
            lease: Name::default(),
            since: clock.now(),
        });
        return (Fence::none(), seat, Some(lead));
    };
    let fence = Fence::shut();
    (election.start)(Campaign {
        clock,
        lease: election.lease,
        me: election.me,
        fence: fence.clone(),
        lead,
        mode: mode_in.clone(),
    });
    (fence, seat, None)
}

fn prices(aws: &aws::Settings) -> String {
    if aws.isolated_vpc {
        "built-in 2026-07, spot of EC2".to_owned()
    } else {
        "on-demand and spot of AWS".to_owned()
    }
}
