//! What a team may spend.

use super::{AccountError, Accounts, TeamRole, User};
use crate::{Database, DatabaseError};
use duplex_domain::TeamId;

impl Database {
    /// The only team, if there is just one.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn only_team(&self) -> Result<Option<TeamId>, DatabaseError> {
        let client = self.at_the_door().client().await?;
        let sql = "SELECT id FROM account.team LIMIT 2";
        let teams = client.query(sql, &[]).await?;
        match teams.as_slice() {
            [only] => Ok(Some(TeamId(only.get(0)))),
            _ => Ok(None),
        }
    }
}

impl Accounts {
    /// What a team may spend in a calendar month, in picodollars; none if there is no limit, or no such team.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn team_budget(&self, team: TeamId) -> Result<Option<u64>, AccountError> {
        let sql = "SELECT budget FROM account.team WHERE id = $1";
        let client = self.database.of(team).client().await?;
        let statement = client.prepare_cached(sql).await?;
        let row = client.query_opt(&statement, &[&team.0]).await?;
        let budget: Option<i64> = row.and_then(|row| row.get(0));
        Ok(budget.map(crate::row::count))
    }

    /// Limits what a person's team may spend in a calendar month, in picodollars; none lifts the limit.
    ///
    /// # Errors
    /// [`AccountError::NotTheOwner`] unless the person owns the team, [`AccountError::Budget`] for more money than
    /// can be counted.
    pub async fn set_team_budget(&self, by: &User, pico: Option<u64>) -> Result<(), AccountError> {
        if by.role != TeamRole::Owner {
            return Err(AccountError::NotTheOwner);
        }
        let pico = pico.map(i64::try_from).transpose();
        let pico = pico.map_err(|_| AccountError::Budget)?;
        let sql = "UPDATE account.team SET budget = $1 WHERE id = $2";
        let client = self.database.of(by.team).client().await?;
        client.execute(sql, &[&pico, &by.team.0]).await?;
        Ok(())
    }
}
