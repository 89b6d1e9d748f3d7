//! The interruption queue over SQS (`aws §16`).

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::error;
use crate::cloud::aws::api::{Call, Ec2Error, Queue, QueueMessage};
use crate::model::Name;

const MESSAGES: i32 = 10;
/// Seconds that a call waits for a message, and that a message given stays hidden from others.
pub(super) const LONG_POLL: i32 = 20;
const HIDDEN: i32 = 20;

type Answer = Result<Vec<QueueMessage>, Ec2Error>;

/// Long polls beside the callers: asking for messages gives those that came and never waits, so that a silent queue
/// holds nobody up.
#[derive(Debug)]
pub(super) struct Sqs {
    client: aws_sdk_sqs::Client,
    url: String,
    poll: Mutex<Option<JoinHandle<Answer>>>,
}

impl Sqs {
    pub(super) fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        Self {
            client,
            url,
            poll: Mutex::new(None),
        }
    }

    fn start(&self) -> JoinHandle<Result<Vec<QueueMessage>, Ec2Error>> {
        let call = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(MESSAGES)
            .wait_time_seconds(LONG_POLL)
            .visibility_timeout(HIDDEN);
        tokio::spawn(async move {
            let answer = call.send().await.map_err(|e| error::of(&e))?;
            let messages = answer.messages.unwrap_or_default().into_iter();
            // Without a receipt it could never be deleted.
            Ok(messages
                .filter_map(|m| {
                    Some(QueueMessage {
                        receipt: m.receipt_handle?.into(),
                        body: m.body.unwrap_or_default(),
                    })
                })
                .collect())
        })
    }

    async fn arrived(&self) -> Result<Vec<QueueMessage>, Ec2Error> {
        let mut poll = self.poll.lock().await;
        if let Some(running) = &mut *poll {
            if !running.is_finished() {
                return Ok(Vec::new());
            }
            let answer = running.await;
            *poll = Some(self.start());
            return answer.unwrap_or_else(|e| Err(Ec2Error::new(error::DISPATCH, e.to_string())));
        }
        *poll = Some(self.start());
        Ok(Vec::new())
    }
}

impl Drop for Sqs {
    fn drop(&mut self) {
        if let Some(running) = self.poll.get_mut() {
            running.abort();
        }
    }
}

impl Queue for Sqs {
    fn receive_messages(&self) -> Call<'_, Vec<QueueMessage>> {
        Box::pin(self.arrived())
    }

    fn delete_message(&self, receipt: Name) -> Call<'_, ()> {
        Box::pin(async move {
            let call = self.client.delete_message().queue_url(&self.url);
            let sent = call.receipt_handle(&*receipt).send().await;
            sent.map_err(|e| error::of(&e))?;
            Ok(())
        })
    }
}
