use std::{cell::RefCell, marker::PhantomData, rc::Rc};

use jobs_runtime::prelude::*;

#[job]
async fn notify(value: PhantomData<Rc<RefCell<u8>>>) {
    let _ = value;
}

fn main() {}
