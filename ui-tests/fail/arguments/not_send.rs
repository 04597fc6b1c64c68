use std::{cell::RefCell, marker::PhantomData, rc::Rc};

use jobs_runtime::prelude::*;

#[job]
async fn send(user: PhantomData<Rc<RefCell<u8>>>) {
    let _ = user;
}

fn main() {}
