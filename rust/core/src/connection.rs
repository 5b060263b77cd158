//! A thread's connection to PostgreSQL: made when needed, made again when it breaks.

use std::{
    cell::RefCell,
    collections::HashMap,
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config, NoTls, Row, Statement, error::SqlState, types::ToSql};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a thread that waits for the database looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// How to reach the database, and whether it is still worth trying.
pub struct Connector {
    config: Config,
    closing: AtomicBool,
}

impl Connector {
    /// Reads a `postgresql://` address.
    ///
    /// # Errors
    /// It is none.
    pub fn new(uri: &str) -> Result<Self, tokio_postgres::Error> {
        let mut config: Config = uri.parse()?;
        config.application_name("wafast core");
        config.connect_timeout(Duration::from_secs(10));
        // The same few statements run thousands of times; planning each anew was a third of a small batch.
        // Who stands still in the middle of a transaction, or is cut off by a network, holds no chat of others for long
        // (worker.py has the same).
        config.options(
            "-c plan_cache_mode=force_generic_plan -c statement_timeout=0 -c idle_in_transaction_session_timeout=8s \
             -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
        );
        Ok(Self { config, closing: AtomicBool::new(false) })
    }

    /// From now on a broken connection is not made again.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The statement itself is refused; trying again would not help.
    #[error("{0}")]
    Refused(tokio_postgres::Error),
    /// The database is away and the process ends.
    #[error("the database is away")]
    Away,
}

/// An open connection and the statements it has prepared.
pub struct Database {
    client: Client,
    statements: RefCell<HashMap<&'static str, Statement>>,
}

impl Database {
    /// Runs a statement that is prepared once a connection.
    ///
    /// # Errors
    /// PostgreSQL refuses it, or is away.
    pub async fn query(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let statement = self.statement(sql).await?;
        self.client.query(&statement, parameters).await
    }

    /// Runs statements without parameters or results.
    ///
    /// # Errors
    /// PostgreSQL refuses one, or is away.
    pub async fn run(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.client.batch_execute(sql).await
    }

    /// Sends a binary COPY stream, piece by piece.
    ///
    /// # Errors
    /// PostgreSQL refuses a row (then none is stored), or is away.
    pub async fn copy(
        &self,
        sql: &'static str,
        rows: impl IntoIterator<Item = bytes::Bytes>,
    ) -> Result<u64, tokio_postgres::Error> {
        use futures_util::SinkExt;
        let statement = self.statement(sql).await?;
        let sink = self.client.copy_in::<_, bytes::Bytes>(&statement).await?;
        let mut sink = std::pin::pin!(sink);
        for piece in rows {
            sink.feed(piece).await?;
        }
        sink.finish().await
    }

    async fn statement(&self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.borrow_mut().insert(sql, statement.clone());
        Ok(statement)
    }
}

/// One thread's way to the database.
pub struct Session<'a> {
    connector: &'a Connector,
    runtime: Runtime,
    database: Option<Database>,
}

impl<'a> Session<'a> {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn new(connector: &'a Connector) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { connector, runtime, database: None })
    }

    /// Does `work`, again after each loss of the connection, until it is done or refused.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn retry<T>(
        &mut self,
        work: impl AsyncFn(&Database) -> Result<T, tokio_postgres::Error>,
        mut on_loss: impl FnMut(),
    ) -> Result<T, Failure> {
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.attempt(&work) {
                Ok(done) => return Ok(done),
                Err(error) if is_loss(&error) => error,
                Err(error) => return Err(Failure::Refused(error)),
            };
            self.database = None;
            on_loss();
            if pause == FIRST_PAUSE {
                let reason = error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned());
                tell!("wafast: the database takes nothing ({reason}); trying again until it does");
            }
            let until = std::time::Instant::now() + pause;
            while std::time::Instant::now() < until {
                if self.connector.is_closing() {
                    return Err(Failure::Away);
                }
                thread::sleep(LOOK);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn attempt<T>(
        &mut self,
        work: &impl AsyncFn(&Database) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, tokio_postgres::Error> {
        let Self { connector, runtime, database } = self;
        runtime.block_on(async {
            if database.is_none() {
                let (client, connection) = connector.config.connect(NoTls).await?;
                tokio::spawn(connection);
                *database = Some(Database { client, statements: RefCell::default() });
            }
            match database {
                Some(database) => work(database).await,
                None => unreachable!("just connected"),
            }
        })
    }
}

/// Whether an error says nothing about the statement's values: the connection broke, the server restarts, is a standby, has
/// no room or another password, two got in each other's way. Only what is certainly wrong with the values is refused.
fn is_loss(error: &tokio_postgres::Error) -> bool {
    let Some(state) = error.code() else {
        // Without a word of PostgreSQL's: input and output, except when a value did not fit its parameter.
        return !error.to_string().contains("serializ");
    };
    // Cardinality, data, constraints, limits; 42804 is a value of another type.
    !(matches!(&state.code()[..2], "21" | "22" | "23" | "54") || *state == SqlState::DATATYPE_MISMATCH)
}
