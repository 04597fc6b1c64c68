//! What the struct looks like, and how it is stored.

use std::collections::BTreeMap;

use jobs_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Serialize, Deserialize)]
struct Order {
    id: u64,
}

struct Mailer;

struct Tenant(String);

impl FromContext for Tenant {
    async fn from_context(cx: &JobContext) -> Result<Self, JobError> {
        Ok(Self(cx.queue().to_string()))
    }
}

#[job]
async fn ping() {}

#[job]
#[allow(unused_variables, unused_mut, clippy::too_many_arguments)]
async fn everything(
    mailer: Data<Mailer>,
    cx: JobContext,
    token: jobs_runtime::prelude::CancellationToken,
    #[inject] Tenant(tenant): Tenant,
    order: Order,
    mut text: String,
    other_text: ::std::string::String,
    /// How many there are.
    #[serde(default)]
    count: u32,
    #[serde(rename = "flagged")] flag: bool,
    r#type: Option<String>,
    _ignored: (u8, [u16; 2]),
    map: BTreeMap<String, Vec<i64>>,
) {
    text.push('!');
}

#[job]
async fn two_services(a: Data<Mailer>, b: Data<Tenant>, self_: u8, cx: u8, requirements: u8, injected_0: u8) {
    let _ = (a, b, self_, cx, requirements, injected_0);
}

fn main() {
    assert_eq!(serde_json::to_value(Ping::new()).unwrap(), json!({}));
    let _: Ping = serde_json::from_str("{}").unwrap();

    let job = Everything::new(Order { id: 3 }, "a", 'b', 4, true, None, (1, [2, 3]), BTreeMap::new());
    assert_eq!((job.text.as_str(), job.other_text.as_str()), ("a", "b"));
    assert_eq!(job.ignored, (1, [2, 3]));
    let mut stored = serde_json::to_value(&job).unwrap();
    let expected = json!({
        "order": { "id": 3 }, "text": "a", "other_text": "b", "count": 4, "flagged": true, "type": null,
        "ignored": [1, [2, 3]], "map": {},
    });
    assert_eq!(stored, expected);

    stored.as_object_mut().unwrap().remove("count");
    let job: Everything = serde_json::from_value(stored).unwrap();
    assert_eq!(job.count, 0);

    let job = TwoServices { self_: 1, cx: 2, requirements: 3, injected_0: 4 };
    assert_eq!(serde_json::to_value(&job).unwrap(), json!({"self_": 1, "cx": 2, "requirements": 3, "injected_0": 4}));
    let _ = TwoServices::enqueue(1, 2, 3, 4);
}
