//! Accounts: who may log in besides the users that the configuration lists.

use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::error::{StateError, failed};
use super::{State, from_micros, micros};
use crate::access::{Principal, Scope};
use crate::names::Sensitivity;
use crate::serve::users::Secret;

/// One person who may log in.
#[derive(Debug, Clone)]
pub struct Account {
    /// Who, and what they may read.
    pub principal: Principal,
    /// What a password is compared with.
    pub secret: Secret,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT ten, vai_tro, nhay_cam, pham_vi, bi_mat, tao_luc FROM tai_khoan";
const SELECT_ONE: &str =
    "SELECT ten, vai_tro, nhay_cam, pham_vi, bi_mat, tao_luc FROM tai_khoan WHERE ten = $1";

impl State {
    /// Makes an account.
    ///
    /// # Errors
    /// [`StateError::Exists`] where there is one of that name; otherwise when it cannot be written.
    pub async fn add_account(
        &self,
        principal: &Principal,
        secret: &Secret,
    ) -> Result<(), StateError> {
        let added = sqlx::query(
            "INSERT INTO tai_khoan (ten, vai_tro, nhay_cam, pham_vi, bi_mat, tao_luc) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (ten) DO NOTHING",
        )
        .bind(principal.name.as_str())
        .bind(principal.role.as_str())
        .bind(principal.clearance.as_str())
        .bind(principal.scope.to_string())
        .bind(secret.encode())
        .bind(micros(self.now()))
        .execute(&self.pool)
        .await
        .map_err(failed("write the account"))?;
        match added.rows_affected() {
            0 => Err(StateError::Exists(principal.name.clone())),
            _ => Ok(()),
        }
    }

    /// Gives an account another password: its sessions are closed, and a lock is taken off.
    ///
    /// # Errors
    /// [`StateError::NoAccount`] where there is none; otherwise when it cannot be written.
    pub async fn replace_secret(&self, name: &str, secret: &Secret) -> Result<(), StateError> {
        let failed = failed("write the account");
        let mut transaction = self.begin_writing().await.map_err(&failed)?;
        let replaced = sqlx::query("UPDATE tai_khoan SET bi_mat = $1 WHERE ten = $2")
            .bind(secret.encode())
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        if replaced.rows_affected() == 0 {
            return Err(StateError::NoAccount(name.to_owned()));
        }
        close_sessions(&mut transaction, name).await.map_err(&failed)?;
        sqlx::query("DELETE FROM dang_nhap_sai WHERE ten_bam = $1")
            .bind(super::lockout::hash(name))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    /// Removes an account and closes its sessions.
    ///
    /// # Errors
    /// [`StateError::NoAccount`] where there is none; otherwise when it cannot be written.
    pub async fn remove_account(&self, name: &str) -> Result<(), StateError> {
        let failed = failed("remove the account");
        let mut transaction = self.begin_writing().await.map_err(&failed)?;
        let removed = sqlx::query("DELETE FROM tai_khoan WHERE ten = $1")
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        if removed.rows_affected() == 0 {
            return Err(StateError::NoAccount(name.to_owned()));
        }
        close_sessions(&mut transaction, name).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// When they cannot be read, or one of them not by this version.
    pub async fn accounts(&self) -> Result<Vec<Account>, StateError> {
        let rows = sqlx::query(SELECT).fetch_all(&self.pool).await;
        let rows = rows.map_err(failed("read the accounts"))?;
        let accounts = rows.iter().map(account).collect::<Result<Vec<_>, _>>();
        let mut accounts = accounts?;
        // Here rather than in SQL: databases order texts by different rules.
        accounts.sort_by(|a, b| a.principal.name.cmp(&b.principal.name));
        Ok(accounts)
    }

    /// The account of that name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, StateError> {
        if name.contains('\0') {
            // PostgreSQL takes none in a text, and no account has one.
            return Ok(None);
        }
        let row = sqlx::query(SELECT_ONE).bind(name).fetch_optional(&self.pool).await;
        row.map_err(failed("read the accounts"))?.as_ref().map(account).transpose()
    }
}

async fn close_sessions(connection: &mut AnyConnection, name: &str) -> Result<(), sqlx::Error> {
    let close = sqlx::query("DELETE FROM phien WHERE ten = $1").bind(name);
    close.execute(connection).await.map(|_| ())
}

fn account(row: &AnyRow) -> Result<Account, StateError> {
    let failed = failed("read the accounts");
    let text = |at: usize| row.try_get::<&str, _>(at).map_err(&failed);
    let name = text(0)?.to_owned();
    let clearance = text(2)?;
    let clearance = Sensitivity::ALL.into_iter().find(|class| class.as_str() == clearance);
    let (Ok(role), Some(clearance), Ok(secret)) =
        (text(1)?.parse(), clearance, Secret::decode(text(4)?))
    else {
        return Err(StateError::Unreadable(name));
    };
    let created_at = from_micros(row.try_get(5).map_err(&failed)?);
    let principal = Principal { name, role, clearance, scope: Scope::parse(text(3)?) };
    Ok(Account { principal, secret, created_at })
}
