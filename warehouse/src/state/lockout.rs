//! Lock-out: after five wrong passwords for a name within a quarter of an hour, none is taken for
//! that name for a quarter of an hour, the right one included. Kept here, so that a restart does
//! not forget, and for every name alike, so that known and unknown ones cannot be told apart.
//!
//! Only failures are rows; whether a name is locked is read off them. What is wrong while it is
//! locked is not counted, so nobody can keep a name locked without pause.

use std::sync::atomic::Ordering;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::error::{StateError, failed};
use super::{State, from_micros, micros};

/// So many wrong passwords lock.
const FAILURES: i64 = 5;

/// Within so long they count together, and so long the lock is on.
const WHILE: TimeDelta = TimeDelta::minutes(15);

/// Failures kept at most; those before are forgotten, as a flood of names would want room.
const KEPT: i64 = 50_000;

/// Failures between two clean-ups.
const CLEAN_EVERY: u32 = 64;

impl State {
    /// Until when no password is taken for `name`.
    ///
    /// # Errors
    /// When it cannot be read: then nobody should be let in.
    pub async fn locked_until(&self, name: &str) -> Result<Option<DateTime<Utc>>, StateError> {
        let times: Vec<i64> = sqlx::query_scalar(
            "SELECT luc FROM dang_nhap_sai WHERE ten_bam = $1 ORDER BY luc DESC LIMIT $2",
        )
        .bind(hash(name))
        .bind(FAILURES)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("read the failed log-ins"))?;
        let (Some(last), Some(first)) = (times.first(), times.get(FAILURES as usize - 1)) else {
            return Ok(None);
        };
        let (last, first) = (from_micros(*last), from_micros(*first));
        let until = last + WHILE;
        Ok(Some(until).filter(|until| last - first <= WHILE && *until > self.now()))
    }

    /// Counts a wrong password for `name`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn log_in_failed(&self, name: &str) -> Result<(), StateError> {
        if self.locked_until(name).await?.is_some() {
            return Ok(());
        }
        sqlx::query("INSERT INTO dang_nhap_sai (ten_bam, luc) VALUES ($1, $2)")
            .bind(hash(name))
            .bind(micros(self.now()))
            .execute(&self.pool)
            .await
            .map_err(failed("count a failed log-in"))?;
        if self.failures.fetch_add(1, Ordering::Relaxed).is_multiple_of(CLEAN_EVERY) {
            self.forget_failures(KEPT).await?;
        }
        Ok(())
    }

    /// Forgets the wrong passwords for `name`: the right one was given.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn log_in_succeeded(&self, name: &str) -> Result<(), StateError> {
        let failed = failed("forget the failed log-ins");
        let name = hash(name);
        // Most have none, and reading waits for nobody.
        let any: Option<i64> =
            sqlx::query_scalar("SELECT luc FROM dang_nhap_sai WHERE ten_bam = $1 LIMIT 1")
                .bind(name.as_str())
                .fetch_optional(&self.pool)
                .await
                .map_err(&failed)?;
        if any.is_some() {
            sqlx::query("DELETE FROM dang_nhap_sai WHERE ten_bam = $1")
                .bind(name)
                .execute(&self.pool)
                .await
                .map_err(&failed)?;
        }
        Ok(())
    }

    /// Forgets failures that lock nothing any more, and the oldest where there are too many.
    pub(super) async fn forget_failures(&self, kept: i64) -> Result<(), StateError> {
        let failed = failed("forget old failed log-ins");
        sqlx::query("DELETE FROM dang_nhap_sai WHERE luc < $1")
            .bind(micros(self.now() - WHILE * 2))
            .execute(&self.pool)
            .await
            .map_err(&failed)?;
        sqlx::query(
            "DELETE FROM dang_nhap_sai WHERE luc <= \
             (SELECT luc FROM dang_nhap_sai ORDER BY luc DESC LIMIT 1 OFFSET $1)",
        )
        .bind(kept)
        .execute(&self.pool)
        .await
        .map_err(&failed)?;
        Ok(())
    }
}

/// What stands for a name: what is typed there by mistake may be a password.
pub(super) fn hash(name: &str) -> String {
    let digest = Sha256::new().chain_update(b"khoyte log-in\0").chain_update(name).finalize();
    super::hex(&digest)
}
