//! The struct, its fields and its functions are as visible as the function; all exist when it does.

mod inner {
    use jobs_runtime::prelude::*;

    #[job]
    pub async fn public(number: u8) {
        let _ = number;
    }

    #[job]
    pub(super) async fn restricted(number: u8) {
        let _ = number;
    }

    pub mod deeper {
        #[jobs_runtime::job]
        pub(in crate::inner) fn deep(number: u8) {
            let _ = number;
        }
    }

    pub fn deep() -> u8 {
        deeper::Deep::new(1).number
    }

    #[job]
    #[recurring(cron = "@daily", args(number = Unknown))]
    #[cfg(any())]
    async fn absent(number: Unknown) {}

    struct Absent;

    pub struct Service;

    #[jobs]
    impl Service {
        #[cfg(any())]
        #[recurring(cron = "@daily", args(number = Unknown))]
        #[job]
        async fn absent(&self, number: Unknown) {}

        #[job]
        #[cfg_attr(any(), recurring(cron = "@daily", args(number = Unknown)))]
        #[cfg_attr(all(), recurring(cron = "@daily", args(number = 1)))]
        #[cfg(all())]
        pub async fn present(number: u8) {
            drop((number, super::inner::Absent));
        }
    }
}

fn main() {
    assert_eq!(inner::Public { number: 1 }.number, 1);
    assert_eq!(inner::Restricted::new(2).number, 2);
    assert_eq!(inner::deep(), 1);
    assert_eq!(inner::Present::new(3).number, 3);
    drop(inner::public(1));
}
