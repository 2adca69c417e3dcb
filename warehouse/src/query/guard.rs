//! Guards between the operators of a plan.
//!
//! An operator that always has rows ready never gives way, and one that makes large rows fills the
//! memory of whoever takes them. A guard stands on the way of all rows from one operator to the
//! next: it ends a stopped query, gives way when others wait, and hands on large batches in
//! pieces that the next operator can work on.

use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array,
};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ReplaceChildrenOptions, replace_children_if_necessary,
};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
};
use futures::{Stream, StreamExt};
use tokio::time::Sleep;

use super::engine::Crowd;
use super::held::{Held, Holds};
use super::running::{self, Here, Running};
use super::watched::watched;

/// Bytes of a batch, times the expressions of the operator that takes it.
const ROOM: usize = 4 << 20;

/// Bytes of a batch on its way to its reader.
const READER: usize = 512 << 10;

/// Rows of a batch, times the expressions of the operator that takes it.
const VALUES: usize = 1 << 20;

/// A single row that is larger, and does not fit its part of [`ROOM`], is refused.
const LARGEST_ROW: usize = 256 << 10;

/// How long a query that is no longer young works before it lets others go first, on all threads
/// together.
const TURN: Duration = Duration::from_millis(5);

/// How long it lets them at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Puts guards between all operators of a plan, and one before whoever reads it.
pub(super) fn guard(
    plan: Arc<dyn ExecutionPlan>,
    running: &Arc<Running>,
    crowd: &Arc<Crowd>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let inside = plan.transform_up(|node| {
        let node = watched(node)?;
        let room = Room::of(&node)?;
        let children = node.children();
        if children.is_empty() {
            return Ok(Transformed::no(node));
        }
        let holds = Holds::of(&node);
        let takes = holds.as_ref().map(|holds| (Arc::clone(holds), Side::Takes));
        let guarded = children
            .into_iter()
            .map(|child| placed(child, room, running, crowd, takes.clone()))
            .collect();
        let node = replace_children_if_necessary(node, guarded)?;
        let gives = holds.map(|holds| (holds, Side::Gives));
        Ok(Transformed::yes(match gives {
            Some(gives) => placed(&node, Room::ANY, running, crowd, Some(gives)),
            None => node,
        }))
    })?;
    Ok(placed(&inside.data, Room::READER, running, crowd, None))
}

/// A guard on the way out of `plan`.
fn placed(
    plan: &Arc<dyn ExecutionPlan>,
    room: Room,
    running: &Arc<Running>,
    crowd: &Arc<Crowd>,
    holds: Option<(Arc<Holds>, Side)>,
) -> Arc<dyn ExecutionPlan> {
    let (running, crowd) = (Arc::clone(running), Arc::clone(crowd));
    Arc::new(Guard { input: Arc::clone(plan), room, running, crowd, holds })
}

/// On which side of an operator a guard stands that has an account of the rows in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Its rows go into the operator.
    Takes,
    /// They come out of it.
    Gives,
}

/// How large a batch an operator can take.
#[derive(Debug, Clone, Copy)]
struct Room {
    bytes: usize,
    rows: usize,
    /// Of a single row.
    row: usize,
    /// Pieces of a batch are copied out of it.
    own: bool,
}

impl Room {
    /// Of an operator that hands rows on as they are.
    const ANY: Self = Self { bytes: ROOM, rows: usize::MAX, row: ROOM, own: false };

    /// Of whoever reads the plan. Rows wait there as long as the reader likes: they are few, and
    /// hold no more memory than their own.
    const READER: Self = Self { bytes: READER, own: true, ..Self::ANY };

    /// An operator makes a column of each of its expressions: the room is divided among them, and
    /// a constant is written out once a row.
    fn of(node: &Arc<dyn ExecutionPlan>) -> Result<Self> {
        let (mut expressions, mut constants) = (0_usize, 0_usize);
        node.apply_expressions(&mut |root: &Arc<dyn PhysicalExpr>| {
            root.apply(|part| {
                expressions += 1;
                if let Some(literal) = part.downcast_ref::<Literal>() {
                    constants = constants.saturating_add(literal.value().size());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        // Up to sixteen an operator has room enough anyway.
        let bytes = ROOM / (expressions / 16).max(1);
        // As many values as are worked out in a moment.
        let rows = (VALUES / expressions.max(1)).max(16);
        let rows = if constants > 4096 { rows.min((ROOM / constants).max(1)) } else { rows };
        Ok(Self { bytes, rows, row: LARGEST_ROW.max(bytes), own: false })
    }
}

/// See the module. Its columns, order and partitions are its input's.
#[derive(Debug)]
struct Guard {
    input: Arc<dyn ExecutionPlan>,
    room: Room,
    running: Arc<Running>,
    crowd: Arc<Crowd>,
    /// The account of an operator that has none of its own.
    holds: Option<(Arc<Holds>, Side)>,
}

impl DisplayAs for Guard {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl ExecutionPlan for Guard {
    fn name(&self) -> &'static str {
        "Guard"
    }

    fn downcast_delegate(&self) -> Option<&dyn ExecutionPlan> {
        Some(self.input.as_ref())
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return Err(DataFusionError::Internal("a guard has one input".to_owned()));
        };
        let holds = self.holds.clone();
        Ok(placed(&input, self.room, &self.running, &self.crowd, holds))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        running_or_stop(&self.running)?;
        let _here = Here::enter(&self.running);
        let held = self.holds.as_ref().map(|(holds, side)| match side {
            // The operator asks for its input while it is begun: its account is opened before.
            Side::Gives => (holds.open(partition, context.memory_pool()), Side::Gives),
            Side::Takes => (holds.find(partition, context.memory_pool()), Side::Takes),
        });
        let rows = Guarded {
            input: self.input.execute(partition, context)?,
            held,
            room: self.room,
            running: Arc::clone(&self.running),
            crowd: Arc::clone(&self.crowd),
            rest: None,
            pause: None,
        };
        Ok(make_cooperative(Box::pin(rows)))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

fn running_or_stop(running: &Running) -> Result<()> {
    if running.stopped.is_cancelled() { Err(running::stopped_error()) } else { Ok(()) }
}

struct Guarded {
    input: SendableRecordBatchStream,
    held: Option<(Arc<Held>, Side)>,
    room: Room,
    running: Arc<Running>,
    crowd: Arc<Crowd>,
    /// Rows of a large batch that are not handed on yet, and how many go at a time.
    rest: Option<(RecordBatch, usize)>,
    /// Until the query's next turn.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Guarded {
    /// The next piece of what is left of a large batch.
    fn piece(&mut self) -> Result<Option<RecordBatch>> {
        let Some((batch, size)) = self.rest.take() else { return Ok(None) };
        let piece = batch.slice(0, size.min(batch.num_rows()));
        if batch.num_rows() > size {
            self.rest = Some((batch.slice(size, batch.num_rows() - size), size));
        }
        Ok(Some(if self.room.own { owned(&piece)? } else { piece }))
    }

    fn fit(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        let rows = batch.num_rows();
        let size = size_of(&batch, self.room.bytes);
        match &self.held {
            Some((held, Side::Takes)) => held.take(rows, size)?,
            Some((held, Side::Gives)) => held.give(rows),
            None => {}
        }
        let piece = match size {
            size if size <= self.room.bytes => rows.min(self.room.rows),
            size => {
                let row = (size / rows.max(1)).max(1);
                if row > self.room.row {
                    let reason = "a row is too large to be worked on";
                    return Err(DataFusionError::ResourcesExhausted(reason.to_owned()));
                }
                (self.room.bytes / row).clamp(1, self.room.rows)
            }
        };
        if rows <= piece {
            // A few rows may hold on to the many that they were cut from.
            let is_cut = self.room.own && batch.get_array_memory_size() > self.room.bytes;
            return Ok(Some(if is_cut { owned(&batch)? } else { batch }));
        }
        self.rest = Some((batch, piece));
        self.piece()
    }

    /// Whether this query has had its turn and others, younger, are waiting.
    fn gives_way(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(pause) = self.pause.as_mut() {
            if pause.as_mut().poll(cx).is_pending() {
                return true;
            }
            self.pause = None;
        }
        let now = Instant::now();
        let Some(until) = self.running.rests(now).or_else(|| self.turn_over(now)) else {
            return false;
        };
        let mut pause = Box::pin(tokio::time::sleep_until(until.into()));
        let waits = pause.as_mut().poll(cx).is_pending();
        self.pause = waits.then_some(pause);
        waits
    }

    /// Until when the query rests, where its turn is over.
    fn turn_over(&self, now: Instant) -> Option<Instant> {
        let Some(standing_back) = self.crowd.standing_back(&self.running) else {
            // What it works while nobody waits is nobody's loss.
            self.running.begin_turn();
            Step::count_from(now);
            return None;
        };
        let worked = self.running.worked() + Step::so_far(now);
        if worked < TURN {
            return None;
        }
        Step::count_from(now);
        let until = now + LONGEST_PAUSE.min(worked * standing_back);
        self.running.rest(until);
        Some(until)
    }
}

thread_local! {
    /// When the step that this thread is in began to count.
    static STEP: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// One step of a query's work on one thread, however many guards it passes.
struct Step<'a> {
    /// Of the guard that it passes first.
    running: Option<&'a Running>,
}

impl<'a> Step<'a> {
    fn enter(running: &'a Running) -> Self {
        if STEP.get().is_some() {
            return Self { running: None };
        }
        STEP.set(Some(Instant::now()));
        Self { running: Some(running) }
    }

    fn so_far(now: Instant) -> Duration {
        STEP.get().map(|began| now.saturating_duration_since(began)).unwrap_or_default()
    }

    fn count_from(now: Instant) {
        if STEP.get().is_some() {
            STEP.set(Some(now));
        }
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        if let Some(running) = self.running {
            running.work(Self::so_far(Instant::now()));
            STEP.set(None);
        }
    }
}

/// Bytes of a batch's own rows. Buffers that it shares with others are looked into only where they
/// would not fit into `room`.
fn size_of(batch: &RecordBatch, room: usize) -> usize {
    let quick = batch.get_array_memory_size();
    if quick <= room { quick } else { batch.columns().iter().map(own_size).sum() }
}

fn own_size(column: &ArrayRef) -> usize {
    let views = 16 * column.len();
    if let Some(texts) = column.as_string_view_opt() {
        return views + texts.lengths().map(|length| length as usize).sum::<usize>();
    }
    if let Some(bytes) = column.as_binary_view_opt() {
        return views + bytes.lengths().map(|length| length as usize).sum::<usize>();
    }
    let data = column.to_data();
    data.get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())
}

/// The same rows in memory of their own.
fn owned(batch: &RecordBatch) -> Result<RecordBatch> {
    let all = UInt32Array::from_iter_values(0..u32::try_from(batch.num_rows()).unwrap_or(u32::MAX));
    let column = |column: &ArrayRef| -> Result<ArrayRef> {
        if let Some(texts) = column.as_string_view_opt() {
            return Ok(Arc::new(texts.gc()));
        }
        if let Some(bytes) = column.as_binary_view_opt() {
            return Ok(Arc::new(bytes.gc()));
        }
        Ok(take(column, &all, None)?)
    };
    let columns = batch.columns().iter().map(column).collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &options)?)
}

impl Stream for Guarded {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(stopped) = running_or_stop(&self.running) {
            return Poll::Ready(Some(Err(stopped)));
        }
        if let Some(piece) = self.piece().transpose() {
            return Poll::Ready(Some(piece));
        }
        if self.gives_way(cx) {
            return Poll::Pending;
        }
        let running = Arc::clone(&self.running);
        let (_here, _step) = (Here::enter(&running), Step::enter(&running));
        match self.input.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(batch))) => Poll::Ready(self.fit(batch).transpose()),
            other => other,
        }
    }
}

impl RecordBatchStream for Guarded {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
