//! What solvers and credit rules do with a network. Nobody else walks its connections.
//!
//! drive:    d_n = b_n + Σ P(W(s_pre)) + Σ Wᵀ(Pᵀ(s_post))     (∂Φ/∂s_n)
//! backward: the adjoint of drive, into the gradients of the populations it reads
//! accumulate_grads: the parameter gradients of a drive, as factors for a sink
//! contrast: ∂Φ/∂θ at a state, as factors for a sink

use super::GradSink;
use super::{ConnId, Connection, Constant, Feedback, Grad, Network, Node, ParamId, PopId, Role, State};
use bouton_kernels::{Complex, Mat, View, add_scaled, dispatch, scale_complex};
use std::ops::Range;

/// The activity that drives were computed from: the clamped input, outputs by population, choices of pooling by connection.
#[derive(Clone, Copy, Debug)]
pub struct ForwardCache<'a> {
    /// [rows, features].
    pub x: View<'a>,
    /// Outputs of every population.
    pub out: &'a [Mat],
    /// What pooling chose at these outputs.
    pub pool_cache: &'a [Mat],
}

/// What a population sends: rows that there are, or some columns of them.
#[derive(Debug)]
pub enum Shown<'a> {
    /// All of it.
    Whole(View<'a>),
    /// A part of the samples.
    Part(Mat),
}

impl Shown<'_> {
    /// The rows.
    pub fn view(&self) -> View<'_> {
        match self {
            Self::Whole(x) => *x,
            Self::Part(part) => part.view(),
        }
    }
}

impl Network {
    /// Bias plus the drive from the clamped input, for every population: constant during a relaxation. On all threads.
    pub fn constant_drive(&self, x: View<'_>) -> Constant {
        let rows = |p: &Node| if p.role == Role::Clamped { 0 } else { x.rows() };
        let mut drive: Vec<Mat> = self.populations.iter().map(|p| self.biases(p, rows(p))).collect();
        let mut pool_cache: Vec<Mat> = self.pool_caches(x.rows());
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| self.is_clamped(c.pre)) {
            c.par_forward(self.shown(c.pre, x).view(), drive[c.post].view_mut(), pool_cache[id].view_mut());
        }
        Constant { drive, pool_cache }
    }

    /// What the clamped population `pop` shows of the samples `x`.
    pub(super) fn shown<'x>(&self, pop: PopId, x: View<'x>) -> Shown<'x> {
        let columns = self.populations[pop].columns.clone();
        if columns.len() == x.cols() { Shown::Whole(x) } else { Shown::Part(columns_of(x, columns)) }
    }

    /// What a population sends into its connections, clamped or not.
    pub fn sent<'x>(&self, pop: PopId, cache: ForwardCache<'x>) -> Shown<'x> {
        if self.is_clamped(pop) { self.shown(pop, cache.x) } else { Shown::Whole(cache.out[pop].view()) }
    }

    /// Room for the choices of pooling of every connection.
    pub fn pool_caches(&self, rows: usize) -> Vec<Mat> {
        self.connections.iter().map(|c| Mat::zeros(self.dtype, rows, c.pool_caches())).collect()
    }

    /// A population's bias in every row, the same at every place of an image.
    pub(super) fn biases(&self, node: &Node, rows: usize) -> Mat {
        let mut drive = Mat::zeros(self.dtype, rows, node.drives());
        let Some(bias) = &node.bias else { return drive };
        dispatch!(self.dtype, T => {
            let bias = bias.mat().slice::<T>();
            drive.slice_mut::<T>().chunks_exact_mut(bias.len()).for_each(|place| place.copy_from_slice(bias));
        });
        drive
    }

    /// Whether activity flows back from the postsynaptic population of `c`.
    fn returns(&self, c: &Connection) -> bool {
        self.populations[c.pre].role == Role::Settling && !matches!(c.feedback, Feedback::None)
    }

    /// Brings the drives of the populations in `block` up to date for some rows.
    pub fn drive(&self, block: &[PopId], state: &mut State, rows: Range<usize>) {
        let settles = |p: &PopId| self.populations[*p].role == Role::Settling;
        if state.reference.is_some() && block.iter().all(settles) {
            return self.drive_corrected(block, state, rows);
        }
        for &pop in block {
            let constant = state.constant[pop].rows_view(rows.clone());
            state.drive[pop].rows_view_mut(rows.clone()).copy_from(constant);
            for (id, c) in self.connections.iter().enumerate() {
                if c.post == pop && !self.is_clamped(c.pre) && c.carries_activity() {
                    let State { out, drive, pool_cache, scratch, pool_cache_dirty, is_complex, .. } = state;
                    let [pool_cache, scratch] =
                        [&mut pool_cache[id], &mut scratch[id]].map(|m| m.rows_view_mut(rows.clone()));
                    let drive = drive[pop].rows_view_mut(rows.clone());
                    let pre = out[c.pre].rows_view(rows.clone());
                    c.forward(pre, drive, pool_cache, scratch, *is_complex);
                    pool_cache_dirty[id] = false;
                }
            }
        }
        for &pop in block {
            for (id, c) in
                self.connections.iter().enumerate().filter(|(_, c)| c.pre == pop && self.returns(c))
            {
                self.update_pool_cache(id, state, rows.clone());
                let State { out, drive, pool_cache, scratch, is_complex, .. } = state;
                let (from, scratch) =
                    (out[c.post].rows_view(rows.clone()), scratch[id].rows_view_mut(rows.clone()));
                let drive = drive[pop].rows_view_mut(rows.clone());
                c.backward_input(
                    &c.back(),
                    pool_cache[id].rows_view(rows.clone()),
                    from,
                    drive,
                    scratch,
                    *is_complex,
                );
            }
        }
    }

    /// d(s⁰) + Jᵀ(s − s⁰): the drive d(s) minus the antisymmetric part of its Jacobian J at the free state s⁰, twice. Away
    /// from it the network then responds like its transpose, which makes the response to a nudge the adjoint, whatever the
    /// feedback weights are. Complex states depart from a real one, so J is real.
    fn drive_corrected(&self, block: &[PopId], state: &mut State, rows: Range<usize>) {
        let State { out, drive, scratch, reference: Some(reference), is_complex, .. } = state else { return };
        let deviation = |pop: PopId| {
            let mut change = out[pop].rows_view(rows.clone()).to_mat();
            add_scaled(&mut change, -1.0, reference.out[pop].rows_view(rows.clone()));
            change
        };
        for &pop in block {
            let mut to = drive[pop].rows_view_mut(rows.clone());
            to.copy_from(reference.drive[pop].rows_view(rows.clone()));
            for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| self.returns(c)) {
                let pool_cache = reference.pool_cache[id].rows_view(rows.clone());
                if c.post == pop {
                    c.jvp(&c.back(), pool_cache, deviation(c.pre).view(), to.reborrow());
                }
                if c.pre == pop {
                    let scratch = scratch[id].rows_view_mut(rows.clone());
                    c.backward_input(
                        &c.weight,
                        pool_cache,
                        deviation(c.post).view(),
                        to.reborrow(),
                        scratch,
                        false,
                    );
                }
                if c.pre == pop && c.is_curved() {
                    let [pre, post] = [c.pre, c.post].map(|p| reference.real(p, rows.clone(), *is_complex));
                    c.hvp_input(pre.view(), post.view(), deviation(pop).view(), to.reborrow());
                }
            }
        }
    }

    /// Brings the choice of pooling of a connection up to date with the presynaptic state.
    fn update_pool_cache(&self, id: ConnId, state: &mut State, rows: Range<usize>) {
        let c = &self.connections[id];
        if c.pool.is_none() || !state.pool_cache_dirty[id] {
            return;
        }
        let State { out, pool_cache, scratch, pool_cache_dirty, is_complex, .. } = state;
        let [pool_cache, scratch] =
            [&mut pool_cache[id], &mut scratch[id]].map(|m| m.rows_view_mut(rows.clone()));
        let mut unused = Mat::zeros(self.dtype, rows.len(), self.populations[c.post].units);
        c.forward(out[c.pre].rows_view(rows), unused.view_mut(), pool_cache, scratch, *is_complex);
        pool_cache_dirty[id] = false;
    }

    /// Brings all choices of pooling up to date, as [`Network::contrast`] needs them.
    pub fn update_pool_caches(&self, state: &mut State) {
        let rows = 0..state.rows();
        for (id, _) in self.connections.iter().enumerate().filter(|(_, c)| !self.is_clamped(c.pre)) {
            self.update_pool_cache(id, state, rows.clone());
        }
    }

    /// What a feed-forward population receives, its bias included unless a normalisation adds that later. On all threads.
    pub fn par_drive(&self, pop: PopId, x: View<'_>, out: &[Mat], pool_cache: &mut [Mat]) -> Mat {
        let node = &self.populations[pop];
        let mut drive = match node.norm {
            None => self.biases(node, x.rows()),
            Some(_) => Mat::zeros(self.dtype, x.rows(), node.units),
        };
        let entering = |c: &Connection| c.post == pop && c.carries_activity();
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| entering(c)) {
            let shown = self.is_clamped(c.pre).then(|| self.shown(c.pre, x));
            let from = shown.as_ref().map_or_else(|| out[c.pre].view(), Shown::view);
            c.par_forward(from, drive.view_mut(), pool_cache[id].view_mut());
        }
        drive
    }

    /// The adjoint of [`Network::par_drive`]: adds to `g_out` of every feed-forward population that drives `pop`.
    pub fn par_backward(&self, pop: PopId, g_drive: View<'_>, pool_cache: &[Mat], g_out: &mut [Mat]) {
        let entering = |c: &Connection| c.post == pop && !self.is_clamped(c.pre) && c.carries_errors();
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| entering(c)) {
            c.par_backward_input(pool_cache[id].view(), g_drive, g_out[c.pre].view_mut());
        }
    }

    /// [`Network::par_backward`] on one thread, at the choices of pooling of a state.
    pub fn send_errors(
        &self,
        pop: PopId,
        g_drive: View<'_>,
        pool_cache: &[Mat],
        scratch: &mut [Mat],
        g_out: &mut [Mat],
    ) {
        let entering = |c: &Connection| c.post == pop && !self.is_clamped(c.pre) && c.carries_errors();
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| entering(c)) {
            let (g_out, scratch) = (g_out[c.pre].view_mut(), scratch[id].view_mut());
            c.backward_input(&c.back(), pool_cache[id].view(), g_drive, g_out, scratch, false);
        }
    }

    /// The adjoint of [`Network::drive`]: adds to `g_out` of every population that drives `pop`.
    pub fn backward(&self, pop: PopId, g_drive: View<'_>, cache: ForwardCache<'_>, g_out: &mut [Mat]) {
        for (id, c) in self.connections.iter().enumerate() {
            let pool_cache = cache.pool_cache[id].view();
            if c.post == pop && !self.is_clamped(c.pre) {
                let mut scratch = Mat::zeros(self.dtype, g_drive.rows(), c.scratch());
                c.backward_input(
                    &c.weight,
                    pool_cache,
                    g_drive,
                    g_out[c.pre].view_mut(),
                    scratch.view_mut(),
                    false,
                );
            }
            if c.pre == pop && self.returns(c) {
                c.jvp(&c.back(), pool_cache, g_drive, g_out[c.post].view_mut());
                let (pre, post) = (cache.out[c.pre].view(), cache.out[c.post].view());
                c.hvp_input(pre, post, g_drive, g_out[c.pre].view_mut());
            }
        }
    }

    /// The gradients of the weights and the bias that enter the drive of `pop`, for drive gradient `g`; the drive was
    /// computed from `cache`.
    pub fn accumulate_grads(
        &self,
        pop: PopId,
        g: View<'_>,
        cache: ForwardCache<'_>,
        scale: f64,
        sink: &mut dyn GradSink,
    ) {
        self.accumulate_grads_static(pop, g, cache, scale, sink);
        self.accumulate_grads_recurrent(pop, g, cache, scale, sink);
    }

    /// The part of [`Network::accumulate_grads`] without the bias.
    pub fn accumulate_grads_weights(
        &self,
        pop: PopId,
        g: View<'_>,
        cache: ForwardCache<'_>,
        scale: f64,
        sink: &mut dyn GradSink,
    ) {
        self.accumulate_grads_input(pop, g, cache, scale, sink);
        self.accumulate_grads_recurrent(pop, g, cache, scale, sink);
    }

    /// The part of [`Network::accumulate_grads`] that belongs to the constant drive: bias and weights from the clamped input.
    pub fn accumulate_grads_static(
        &self,
        pop: PopId,
        g: View<'_>,
        cache: ForwardCache<'_>,
        scale: f64,
        sink: &mut dyn GradSink,
    ) {
        sink.add(self, ParamId::bias(pop), Grad::rows(g, scale));
        self.accumulate_grads_input(pop, g, cache, scale, sink);
    }

    /// The gradients of the units' own numbers that are learned, of which `g` holds one per sample, [K·rows, units].
    pub fn accumulate_grads_own(&self, pop: PopId, g: &Mat, scale: f64, sink: &mut dyn GradSink) {
        let own = &self.populations[pop].own;
        let rows = g.rows() / own.len().max(1);
        for (k, _) in own.iter().enumerate().filter(|(_, own)| own.learned) {
            let g = g.rows_view(k * rows..(k + 1) * rows);
            sink.add(self, ParamId::own(pop, k), Grad::rows(g, scale));
        }
    }

    fn accumulate_grads_input(
        &self,
        pop: PopId,
        g: View<'_>,
        cache: ForwardCache<'_>,
        scale: f64,
        sink: &mut dyn GradSink,
    ) {
        let from_input = |c: &Connection| c.post == pop && self.is_clamped(c.pre);
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| from_input(c)) {
            let (shown, g) =
                (self.shown(c.pre, cache.x), c.post_factors(cache.pool_cache[id].view(), g, false));
            sink.add(self, ParamId::weight(id), Grad::factors(shown.view(), g.view(), scale));
        }
    }

    /// The part of [`Network::accumulate_grads`] that depends on the activity of other populations.
    pub fn accumulate_grads_recurrent(
        &self,
        pop: PopId,
        g: View<'_>,
        cache: ForwardCache<'_>,
        scale: f64,
        sink: &mut dyn GradSink,
    ) {
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| c.carries_activity()) {
            let pool_cache = cache.pool_cache[id].view();
            if c.post == pop && !self.is_clamped(c.pre) {
                sink.add(
                    self,
                    ParamId::weight(id),
                    Grad::factors(
                        cache.out[c.pre].view(),
                        c.post_factors(pool_cache, g, false).view(),
                        scale,
                    ),
                );
            }
            if c.pre == pop && self.returns(c) {
                sink.add(
                    self,
                    c.back_id(id),
                    Grad::factors(
                        g,
                        c.post_factors(pool_cache, cache.out[c.post].view(), false).view(),
                        scale,
                    ),
                );
                let (pre, post) = (cache.out[c.pre].view(), cache.out[c.post].view());
                if let Some(second_order) = c.second_order_factor(pre, post, &c.back(), g) {
                    sink.add(self, ParamId::weight(id), Grad::factors(pre, second_order.view(), scale));
                }
            }
        }
    }

    /// Hands over Σ scale·∂Φ/∂θ over states of the settling populations, whose choices of pooling are up to date. Weights from the
    /// clamped input see the same presynaptic rows in every term, so their postsynaptic rows are summed first. Directions
    /// that learn for themselves multiply what changed on their far side with the `free` state on the near one.
    pub fn contrast(&self, x: View<'_>, terms: &[Term<'_>], free: &State, sink: &mut dyn GradSink) {
        let settles = |p: PopId| self.populations[p].role == Role::Settling;
        for pop in self.with_role(Role::Settling) {
            let sum = weighted_sum(terms, pop);
            sink.add(self, ParamId::bias(pop), Grad::rows(sum.view(), 1.0));
            let from_input = |c: &Connection| c.post == pop && self.is_clamped(c.pre);
            for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| from_input(c)) {
                let pool_cache = terms[0].state.pool_cache[id].rows_view(terms[0].rows.clone());
                sink.add(
                    self,
                    ParamId::weight(id),
                    Grad::factors(
                        self.shown(c.pre, x).view(),
                        c.post_factors(pool_cache, sum.view(), false).view(),
                        1.0,
                    ),
                );
            }
        }
        let inside = |c: &Connection| settles(c.pre) && settles(c.post);
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| inside(c)) {
            if matches!(c.feedback, Feedback::Field(_)) {
                self.contrast_field(id, c, terms, free, sink);
                continue;
            }
            for t in terms {
                self.contrast_term(id, c, t, sink);
            }
        }
    }

    /// Directions that learn for themselves: the change of each population times what it receives through the free state.
    fn contrast_field(
        &self,
        id: ConnId,
        c: &Connection,
        terms: &[Term<'_>],
        free: &State,
        sink: &mut dyn GradSink,
    ) {
        let (pool_cache, pre) = (free.pool_cache[id].view(), free.out[c.pre].view());
        let changes = [c.pre, c.post].map(|p| weighted_sum(terms, p));
        let [of_pre, of_post] = changes.each_ref().map(Mat::view);
        let post = c.post_factors(pool_cache, free.out[c.post].view(), false);
        sink.add(self, ParamId::feedback(id), Grad::factors(of_pre, post.view(), 1.0));
        sink.add(
            self,
            ParamId::weight(id),
            Grad::factors(pre, c.post_factors(pool_cache, of_post, false).view(), 1.0),
        );
        if let Some(second_order) = c.second_order_factor(pre, free.out[c.post].view(), &c.back(), of_pre) {
            sink.add(self, ParamId::weight(id), Grad::factors(pre, second_order.view(), 1.0));
        }
    }

    /// Re(scale · s_post · s_pre): of complex numbers, the product of imaginary parts counts negatively.
    fn contrast_term(&self, id: ConnId, c: &Connection, t: &Term<'_>, sink: &mut dyn GradSink) {
        let pre = t.state.out[c.pre].rows_view(t.rows.clone());
        let (Some(post), Some(imaginary)) = (t.scaled_complex(c.post), t.imaginary()) else {
            let (pool_cache, post) = (&t.state.pool_cache[id], &t.state.out[c.post]);
            let post =
                c.post_factors(pool_cache.rows_view(t.rows.clone()), post.rows_view(t.rows.clone()), false);
            return sink.add(self, ParamId::weight(id), Grad::factors(pre, post.view(), t.scale.re));
        };
        let (n, pool_cache) = (t.rows.len(), t.pool_cache(id));
        let post = c.post_factors(pool_cache.view(), post.view(), true);
        let id = ParamId::weight(id);
        sink.add(self, id, Grad::factors(pre, post.view().rows_range(0..n), 1.0));
        let pre = t.state.out[c.pre].rows_view(imaginary);
        sink.add(self, id, Grad::factors(pre, post.view().rows_range(n..2 * n), -1.0));
    }

    /// The real part of the gradients of what enters a feed-forward population from a complex state, for complex drive
    /// gradient `g`.
    pub fn accumulate_grads_real(
        &self,
        pop: PopId,
        g: View<'_>,
        state: &State,
        scale: f64,
        sink: &mut dyn GradSink,
    ) {
        let n = g.rows() / 2;
        sink.add(self, ParamId::bias(pop), Grad::rows(g.rows_range(0..n), scale));
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| c.post == pop) {
            for (rows, sign) in [(0..n, 1.0), (n..2 * n, -1.0)] {
                let pre = state.out[c.pre].rows_view(rows.clone());
                sink.add(self, ParamId::weight(id), Grad::factors(pre, g.rows_range(rows), sign * scale));
            }
        }
    }
}

/// A state in a weighted sum of states.
#[derive(Clone, Debug)]
pub struct Term<'a> {
    /// Outputs of every population, and choices of pooling that belong to them.
    pub state: &'a State,
    /// Rows that belong to this term.
    pub rows: Range<usize>,
    /// Weight of this term; real for a real state. Of a complex one, what counts is Re(scale · s_post · s_pre).
    pub scale: Complex<f64>,
}

impl<'a> Term<'a> {
    /// A real state with a real weight.
    pub fn real(state: &'a State, rows: Range<usize>, scale: f64) -> Self {
        Self { state, rows, scale: Complex { re: scale, im: 0.0 } }
    }

    /// Rows of the imaginary parts of a complex state.
    fn imaginary(&self) -> Option<Range<usize>> {
        let half = self.state.rows() / 2;
        self.state.is_complex.then(|| half + self.rows.start..half + self.rows.end)
    }

    /// scale · s of a population: the rows themselves with a real weight, or real above imaginary parts.
    fn scaled_complex(&self, pop: PopId) -> Option<Mat> {
        let imaginary = self.imaginary()?;
        let mut both = self.state.out[pop].rows_view(self.rows.clone()).to_mat();
        both.append_rows(self.state.out[pop].rows_view(imaginary));
        let n = self.rows.len();
        let by: Vec<f64> = (0..2 * n).map(|r| if r < n { self.scale.re } else { self.scale.im }).collect();
        scale_complex(&mut both, &by, 1.0);
        Some(both)
    }

    /// Choices of a connection, real above imaginary parts of a complex state.
    fn pool_cache(&self, id: ConnId) -> Mat {
        let mut pool_cache = self.state.pool_cache[id].rows_view(self.rows.clone()).to_mat();
        if let Some(imaginary) = self.imaginary() {
            pool_cache.append_rows(self.state.pool_cache[id].rows_view(imaginary));
        }
        pool_cache
    }
}

/// Σ Re(scale · s) of a population.
fn weighted_sum(terms: &[Term<'_>], pop: PopId) -> Mat {
    let first = terms[0].state.out[pop].rows_view(terms[0].rows.clone());
    let mut sum = Mat::zeros(first.dtype(), first.rows(), first.cols());
    for t in terms {
        add_scaled(&mut sum, t.scale.re, t.state.out[pop].rows_view(t.rows.clone()));
        if let Some(imaginary) = t.imaginary() {
            add_scaled(&mut sum, -t.scale.im, t.state.out[pop].rows_view(imaginary));
        }
    }
    sum
}

fn columns_of(x: View<'_>, columns: Range<usize>) -> Mat {
    let mut part = Mat::zeros(x.dtype(), x.rows(), columns.len());
    dispatch!(x.dtype(), T => for r in 0..x.rows() {
        part.view_mut().row_mut::<T>(r).copy_from_slice(&x.row::<T>(r)[columns.clone()]);
    });
    part
}
