//! Web sessions: a random token in the reader's cookie, of which only the SHA-256 is kept. A
//! session ends after two hours without use, and twelve hours after log-in however it is used.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use sqlx::Row;

use super::error::{StateError, failed};
use super::{State, from_micros, micros, room};

/// How long a session lasts without use.
const IDLE: TimeDelta = TimeDelta::hours(2);

/// How long it lasts at most.
const ABSOLUTE: TimeDelta = TimeDelta::hours(12);

/// Use is noted at most once in this time: a page is many requests.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

impl State {
    /// Opens a session for `name`, who has just logged in: its token, 64 hex digits.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn open_session(&self, name: &str) -> Result<String, StateError> {
        let failed = failed("open a session");
        let (token, now) = (super::hex(&room::random::<32>()?), self.now());
        sqlx::query("DELETE FROM phien WHERE mo_luc <= $1 OR dung_luc <= $2")
            .bind(micros(now - ABSOLUTE))
            .bind(micros(now - IDLE))
            .execute(&self.pool)
            .await
            .map_err(&failed)?;
        sqlx::query("INSERT INTO phien (dau_van, ten, mo_luc, dung_luc) VALUES ($1, $2, $3, $3)")
            .bind(fingerprint(&token))
            .bind(name)
            .bind(micros(now))
            .execute(&self.pool)
            .await
            .map_err(&failed)?;
        Ok(token)
    }

    /// Whose session this is, if it is one that has not ended.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn session(&self, token: &str) -> Result<Option<String>, StateError> {
        let failed = failed("read the session");
        let (fingerprint, now) = (fingerprint(token), self.now());
        let row = sqlx::query("SELECT ten, mo_luc, dung_luc FROM phien WHERE dau_van = $1")
            .bind(fingerprint.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
        let Some(row) = row else { return Ok(None) };
        let time = |at: usize| -> Result<DateTime<Utc>, StateError> {
            row.try_get(at).map(from_micros).map_err(&failed)
        };
        let (opened_at, used_at) = (time(1)?, time(2)?);
        if now - opened_at >= ABSOLUTE || now - used_at >= IDLE {
            self.close_session(token).await?;
            return Ok(None);
        }
        if now - used_at >= NOTED_EVERY {
            sqlx::query("UPDATE phien SET dung_luc = $1 WHERE dau_van = $2")
                .bind(micros(now))
                .bind(fingerprint)
                .execute(&self.pool)
                .await
                .map_err(&failed)?;
        }
        row.try_get(0).map(Some).map_err(&failed)
    }

    /// Closes a session, if it is one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn close_session(&self, token: &str) -> Result<(), StateError> {
        let close = sqlx::query("DELETE FROM phien WHERE dau_van = $1").bind(fingerprint(token));
        close.execute(&self.pool).await.map(|_| ()).map_err(failed("close the session"))
    }

    /// Closes all sessions of `name`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn close_sessions_of(&self, name: &str) -> Result<(), StateError> {
        let close = sqlx::query("DELETE FROM phien WHERE ten = $1").bind(name.to_owned());
        close.execute(&self.pool).await.map(|_| ()).map_err(failed("close the sessions"))
    }
}

fn fingerprint(token: &str) -> String {
    super::hex(&Sha256::digest(token))
}
