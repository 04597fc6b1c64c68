//! A transaction as a parameter, and as what jobs are stored in.

use jobs_runtime::prelude::*;
use sqlx::Sqlite;

#[job]
async fn charge(mut tx: JobTx<Sqlite>, order: i64) -> anyhow::Result<()> {
    let tx = tx.begin().await?;
    sqlx::query("UPDATE orders SET charged = true WHERE id = ?").bind(order).execute(&mut **tx).await?;
    NotifyShop::enqueue(order).in_tx(tx).await?;
    Ok(())
}

#[job]
fn notify_shop(#[inject] tx: Orders, order: i64) -> Result<(), String> {
    let _ = (tx, order);
    Ok(())
}

/// Another name must be marked.
type Orders = jobs_runtime::storage::JobTx<Sqlite>;

struct Shop;

#[jobs]
impl Shop {
    #[job]
    async fn refund(&self, mut tx: JobTx<Sqlite>, order: i64) -> anyhow::Result<()> {
        NotifyShop::enqueue(order).in_tx(&mut tx).await?;
        let mut tx = tx.begin().await?;
        // A reference is a transaction, and so is one to it.
        NotifyShop::enqueue(order).in_tx(tx).await?;
        NotifyShop::enqueue(order).in_tx(&mut tx).await?;
        Ok(())
    }
}

async fn in_the_application(client: &Client, pool: sqlx::SqlitePool) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    let first = Charge::enqueue(1).delay(std::time::Duration::from_secs(60)).in_tx(&mut tx).await?;
    let all = client.enqueue_all_in(&mut tx, [Charge::enqueue(2).after(&first)]).await?;
    let _: &JobHandle<()> = &all[0];
    tx.commit().await?;
    Ok(())
}

fn assert_send<T: Send>(_: impl Fn(&'static Client, sqlx::SqlitePool) -> T) {}

fn main() {
    assert_send(in_the_application);
    let _ = (Charge::new(1), NotifyShop::new(2), Refund::new(3));
}
