//! Where queries work: a runtime of their own, who is let in, and the watch over all that run.
//!
//! Log-ins, pages and shutdown run elsewhere and never wait for a query. A query that has worked
//! for a while lets younger ones go first, so that short questions are answered beside long ones.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tikv_jemalloc_ctl::{epoch, stats};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::running::{Running, Stop, Working};
use super::{Limits, QueryError, Via};
use crate::access::Principal;

/// Stack of a thread that queries work on: expressions within the bounds are worked out on it.
const STACK: usize = 16 << 20;

/// A query that has worked longer lets younger ones go first.
const YOUNG: Duration = Duration::from_millis(300);

/// A query that has worked longer makes room for one that begins: few work at once, so that those
/// who came first are answered first, and none waits long for one that takes long.
const QUICK: Duration = Duration::from_millis(50);

/// How often the watch looks.
const LOOK: Duration = Duration::from_millis(10);

/// Memory beside what queries account for, before the watch stops the largest of them.
const UNACCOUNTED: usize = 384 << 20;

/// How long a query that was stopped for its memory may take to let go of it, before the next is
/// stopped.
const SETTLE: Duration = Duration::from_millis(200);

/// Unless the memory has grown by as much since.
const GROWTH: usize = 32 << 20;

/// So many young queries are a crowd, for which the old ones stand back further.
const CROWDED: usize = 4;

/// Queries that wait to be let in; more are told to come back.
const MOST_WAITING: usize = 512;

/// Principals whose places are remembered while they hold none.
const MOST_OWN: usize = 10_000;

/// See the module.
pub(super) struct Engine {
    runtime: Option<Runtime>,
    registry: Arc<Registry>,
    /// Of those that run, and of those that plan.
    running: Places,
    planning: Places,
    /// Of those that have just begun to run.
    beginning: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Engine {
    pub(super) fn new(limits: Limits) -> std::io::Result<Self> {
        // More threads than a query uses: one that does not give way for a moment must not keep
        // the others out.
        let planning = (limits.threads * 4).max(8);
        let runtime = Builder::new_multi_thread()
            .worker_threads(planning + limits.threads * 2)
            .thread_name("query")
            .thread_stack_size(STACK)
            .enable_all()
            .build()?;
        let registry = Arc::new(Registry::default());
        watch(Arc::downgrade(&registry), limits.memory_bytes)?;
        Ok(Self {
            runtime: Some(runtime),
            registry,
            running: Places::new(limits.queries),
            planning: Places::new(planning),
            beginning: Arc::new(Semaphore::new(limits.threads * 3)),
            waiting: Arc::default(),
        })
    }

    /// How crowded it is, for those that run.
    pub(super) fn crowd(&self) -> &Arc<Crowd> {
        &self.registry.crowd
    }

    /// Does `work` of a query on the queries' own runtime; whoever drops the future stops it.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        running: &Arc<Running>,
        work: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<T, QueryError> {
        let task = self.spawn(running, work)?;
        running.wait(task).await
    }

    /// As [`Self::work`], to be waited for later.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        running: &Arc<Running>,
        work: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<Task<T>, QueryError> {
        let runtime = self.runtime.as_ref().ok_or_else(QueryError::shutting_down)?;
        let working = Working { running: Arc::clone(running), work: Box::pin(work) };
        Ok(Task(runtime.spawn(working)))
    }

    /// Waits for a place among those that parse and plan.
    pub(super) async fn plans(
        &self,
        who: &Principal,
        via: Via,
        running: &Running,
    ) -> Result<Place, QueryError> {
        running.wait(self.planning.take(who, via)).await
    }

    /// Waits until a query may run. It holds its place until the result is dropped.
    pub(super) async fn admit(
        &self,
        who: &Principal,
        via: Via,
        running: &Arc<Running>,
    ) -> Result<Admitted, QueryError> {
        if self.registry.closing.load(Ordering::Acquire) && via != Via::Night {
            return Err(QueryError::shutting_down());
        }
        let waits = Waiting::new(&self.waiting)?;
        let place = running.wait(self.running.take(who, via)).await?;
        let turn = async {
            let turn = Arc::clone(&self.beginning).acquire_owned().await;
            turn.map_err(|_| QueryError::shutting_down())
        };
        let turn = running.wait(turn).await?;
        drop(waits);
        Ok(self.registry.enter(running, via, place, turn))
    }

    /// Lets nobody in any more and stops what runs, except downloads: they may end.
    pub(super) fn close(&self) {
        self.registry.closing.store(true, Ordering::Release);
        self.registry.stop(|via| via != Via::Download);
    }

    /// Stops what is left.
    pub(super) fn stop(&self) {
        self.registry.stop(|_| true);
    }

    /// Queries at work.
    pub(super) fn at_work(&self) -> usize {
        lock(&self.registry.running).len()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.registry.stop(|_| true);
        if let Some(runtime) = self.runtime.take() {
            // Not waited for: this may be dropped on a thread of another runtime.
            runtime.shutdown_background();
        }
    }
}

/// Places of all, of which one principal gets half at most at each door: nobody takes all of them.
struct Places {
    all: Arc<Semaphore>,
    own: Mutex<HashMap<(String, Via), Arc<Semaphore>>>,
    share: usize,
}

/// Two permits: of one's own, and of all.
pub(super) type Place = (OwnedSemaphorePermit, OwnedSemaphorePermit);

impl Places {
    fn new(places: usize) -> Self {
        let all = Arc::new(Semaphore::new(places));
        Self { all, own: Mutex::default(), share: (places / 2).max(1) }
    }

    async fn take(&self, who: &Principal, via: Via) -> Result<Place, QueryError> {
        let own = self.own(who, via).acquire_owned().await;
        let all = Arc::clone(&self.all).acquire_owned().await;
        own.ok().zip(all.ok()).ok_or_else(QueryError::shutting_down)
    }

    fn own(&self, who: &Principal, via: Via) -> Arc<Semaphore> {
        let mut own = lock(&self.own);
        if own.len() > MOST_OWN {
            own.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let key = (who.name.clone(), via);
        Arc::clone(own.entry(key).or_insert_with(|| Arc::new(Semaphore::new(self.share))))
    }
}

/// Work that ends when nobody waits for it.
pub(super) struct Task<T>(JoinHandle<Result<T, QueryError>>);

impl<T> Future for Task<T> {
    type Output = Result<T, QueryError>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(cx).map(|ended| match ended {
            Ok(done) => done,
            Err(failed) if failed.is_panic() => Err(QueryError::panicked()),
            Err(_) => Err(QueryError::cancelled()),
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One of those that wait to be let in.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn new(all: &Arc<AtomicUsize>) -> Result<Self, QueryError> {
        let waiting = Self(Arc::clone(all));
        if all.fetch_add(1, Ordering::AcqRel) >= MOST_WAITING {
            return Err(QueryError::busy());
        }
        Ok(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A query at work.
struct AtWork {
    via: Via,
    running: Arc<Running>,
    /// Until it makes room for the next.
    turn: Option<OwnedSemaphorePermit>,
}

/// All queries at work.
#[derive(Default)]
struct Registry {
    running: Mutex<HashMap<u64, AtWork>>,
    next: AtomicU64,
    crowd: Arc<Crowd>,
    closing: AtomicBool,
}

impl Registry {
    fn enter(
        self: &Arc<Self>,
        running: &Arc<Running>,
        via: Via,
        place: Place,
        turn: OwnedSemaphorePermit,
    ) -> Admitted {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        running.begin();
        let at_work = AtWork { via, running: Arc::clone(running), turn: Some(turn) };
        lock(&self.running).insert(id, at_work);
        self.crowd.young.fetch_add(1, Ordering::Relaxed);
        Admitted { registry: Arc::clone(self), id, _place: place }
    }

    fn stop(&self, wanted: impl Fn(Via) -> bool) {
        let running = lock(&self.running);
        running
            .values()
            .filter(|query| wanted(query.via))
            .for_each(|query| query.running.stop(Stop::Shutdown));
    }

    /// Counts the young and the old, lets those go on that wait for their turn, and ends those whose
    /// time is up.
    fn count(&self) {
        let mut running = lock(&self.running);
        let now = tokio::time::Instant::now();
        let mut old = 0;
        for AtWork { running, turn, .. } in running.values_mut() {
            if running.deadline.is_some_and(|(due, _)| due <= now) {
                running.stop(Stop::Timeout);
            }
            let age = running.age();
            old += usize::from(age >= YOUNG);
            if age >= QUICK {
                *turn = None;
            }
        }
        self.crowd.old.store(old, Ordering::Relaxed);
        self.crowd.young.store(running.len() - old, Ordering::Relaxed);
    }

    /// Stops the query that holds most of the memory, the oldest of them where they hold alike; not
    /// one that has just begun, and holds nothing to speak of.
    fn stop_largest(&self) {
        let running = lock(&self.running);
        let largest = running
            .values()
            .map(|query| &query.running)
            .filter(|running| running.why().is_none())
            .filter(|running| !running.pool.is_small() || running.age() >= YOUNG)
            .max_by_key(|running| (running.pool.used(), running.age()));
        if let Some(largest) = largest {
            tracing::warn!("the machine's memory is needed: the largest query is stopped");
            largest.stop(Stop::Memory);
        }
    }
}

/// A query's place; it is given back when the query's work is over.
pub(super) struct Admitted {
    registry: Arc<Registry>,
    id: u64,
    _place: Place,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        lock(&self.registry.running).remove(&self.id);
        self.registry.count();
    }
}

/// How many are at work.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    young: AtomicUsize,
    old: AtomicUsize,
}

impl Crowd {
    /// How many times as long as it has worked an old query should stand back now; `None` where
    /// nobody younger is at work.
    pub(super) fn standing_back(&self, running: &Running) -> Option<u32> {
        let young = self.young.load(Ordering::Relaxed);
        if young == 0 || running.age() < YOUNG {
            return None;
        }
        let old = self.old.load(Ordering::Relaxed).clamp(1, 16);
        let each = if young < CROWDED { 2 } else { 4 };
        u32::try_from(each * old).ok()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread that counts, and that looks after the machine's memory. It ends with the
/// registry.
fn watch(registry: Weak<Registry>, memory_bytes: usize) -> std::io::Result<()> {
    let mut memory = Memory::new(memory_bytes);
    let look = move || {
        while let Some(registry) = registry.upgrade() {
            registry.count();
            memory.look(&registry);
            drop(registry);
            std::thread::sleep(LOOK);
        }
    };
    std::thread::Builder::new().name("watch".to_owned()).spawn(look).map(drop)
}

/// What is known of the process's memory.
struct Memory {
    /// Above this the largest query is stopped.
    most: usize,
    /// When a query was stopped last, and what was held then.
    stopped: Option<(Instant, usize)>,
}

impl Memory {
    fn new(memory_bytes: usize) -> Self {
        Self { most: memory_bytes.saturating_add(UNACCOUNTED), stopped: None }
    }

    fn look(&mut self, registry: &Registry) {
        let Some(resident) = resident_bytes().filter(|resident| *resident > self.most) else {
            return;
        };
        // What is free is about to be given back, and nobody need be stopped for it.
        let held = resident.saturating_sub(free_bytes().unwrap_or_default());
        // One that was stopped needs a moment to let go.
        let settles = |(at, was): (Instant, usize)| {
            at.elapsed() < SETTLE && held < was.saturating_add(GROWTH)
        };
        if held > self.most && !self.stopped.is_some_and(settles) {
            registry.stop_largest();
            self.stopped = Some((Instant::now(), held));
        }
    }
}

/// What the process holds of the machine's memory, where the system tells.
fn resident_bytes() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(4096)
}

/// What the allocator has and nobody uses; none where the process has another allocator.
fn free_bytes() -> Option<usize> {
    epoch::advance().ok()?;
    let (resident, allocated) = (stats::resident::read().ok()?, stats::allocated::read().ok()?);
    Some(resident.saturating_sub(allocated))
}
