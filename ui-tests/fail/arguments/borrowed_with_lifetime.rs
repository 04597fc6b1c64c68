use std::borrow::Cow;

use jobs_runtime::prelude::*;

#[job]
async fn notify<'a>(email: Cow<'a, str>, other: Cow<'static, str>) {
    let _ = (email, other);
}

fn main() {
    let _ = Notify::enqueue(Cow::Borrowed("a"), Cow::Borrowed("b"));
}
