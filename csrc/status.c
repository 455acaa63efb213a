/* Everything that is checked before a kernel runs. */
#include "recirc_hw.h"

static int inside(int64_t index, int64_t count) { return index >= 0 && index < count; }

/* Whether `each` values, `count` times over from `offset` on, end by `total`. */
static int fits(int64_t offset, int64_t count, int64_t each, int64_t total)
{
    if (offset < 0 || count < 0 || each < 0 || offset > total) return 0;
    return each == 0 || count <= (total - offset) / each;
}

static int slot_fits(const rh_program *p, int64_t slot)
{
    if (!inside(slot, p->n_slots)) return 0;
    const rh_slot *s = p->slots + slot;
    return fits(s->offset, 1, s->size, p->state_size) &&
           fits(s->offset + s->size, p->rows - 1, s->stride, p->state_size);
}

static int slot_has(const rh_program *p, int64_t slot, int64_t size)
{
    return slot_fits(p, slot) && p->slots[slot].size == size;
}

static int matrix_fits(const rh_matrix *m, int64_t lanes, int64_t n_weights)
{
    if (m->rows < 0 || m->cols < 0 || m->stride < m->rows || m->stride > n_weights / lanes)
        return 0;
    return m->cols < INT64_MAX && fits(m->offset, m->cols + 1, m->stride * lanes, n_weights);
}

/* A lane walk reads `post` as far as a column's padding goes. */
static int correlate_fits(const rh_program *p, const rh_op *op, int64_t places)
{
    if (!inside(op->matrix, p->n_matrices)) return 0;
    const rh_matrix *m = p->matrices + op->matrix;
    return slot_has(p, op->first, m->rows) && slot_has(p, op->second, m->cols) &&
           fits(p->slots[op->first].offset, 1, m->stride, places);
}

static int project_fits(const rh_program *p, const rh_op *op)
{
    if (!inside(op->matrix, p->n_matrices)) return 0;
    const rh_matrix *m = p->matrices + op->matrix;
    return slot_has(p, op->dst, op->transposed ? m->cols : m->rows) &&
           slot_has(p, op->first, op->transposed ? m->rows : m->cols);
}

static int elementwise_fits(const rh_program *p, const rh_op *op)
{
    if (!slot_fits(p, op->dst)) return 0;
    int64_t size = p->slots[op->dst].size;
    return slot_has(p, op->first, size) && slot_has(p, op->second, size);
}

static int clamp_fits(const rh_program *p, const rh_op *op, int64_t case_size)
{
    return slot_fits(p, op->dst) &&
           fits(op->case_offset, 1, p->slots[op->dst].size, case_size);
}

static int check_compute(const rh_program *p, const rh_op *op, int64_t case_size)
{
    int last = op->opcode == RH_GATE ? RH_DEADZONE : RH_TANH;
    if (op->function < RH_IDENTITY || op->function > last) return RH_ERR_OPCODE;
    int ok = 0;
    switch (op->opcode) {
    case RH_CLAMP: ok = clamp_fits(p, op, case_size); break;
    case RH_PROJECT: ok = project_fits(p, op); break;
    case RH_COMBINE:
    case RH_GATE: ok = elementwise_fits(p, op); break;
    default: return RH_ERR_OPCODE;
    }
    return ok ? RH_OK : RH_ERR_BOUNDS;
}

/* Correlates, then writes, after the operations that compute. */
static int check_learning(const rh_program *p, int64_t places)
{
    const rh_op *op = p->ops + p->n_compute;
    for (int64_t k = 0; k < p->n_correlate; k++, op++) {
        if (op->opcode != RH_CORRELATE) return RH_ERR_OPCODE;
        if (!correlate_fits(p, op, places)) return RH_ERR_BOUNDS;
    }
    for (int64_t k = 0; k < p->n_write; k++, op++) {
        if (op->opcode != RH_WRITE) return RH_ERR_OPCODE;
        if (!inside(op->matrix, p->n_matrices)) return RH_ERR_BOUNDS;
    }
    return RH_OK;
}

int rh_check_program(const rh_program *p, int64_t lanes, int64_t case_size, int64_t n_weights,
                     int64_t n_state)
{
    if (p->n_compute < 0 || p->n_correlate < 0 || p->n_write < 0 || p->rows < 1 || lanes < 1)
        return RH_ERR_BOUNDS;
    if (!fits(0, p->state_size, lanes, n_state)) return RH_ERR_BOUNDS;
    for (int64_t k = 0; k < p->n_matrices; k++)
        if (!matrix_fits(p->matrices + k, lanes, n_weights)) return RH_ERR_BOUNDS;
    for (int64_t k = 0; k < p->n_compute; k++) {
        int status = check_compute(p, p->ops + k, case_size);
        if (status != RH_OK) return status;
    }
    if (!slot_fits(p, p->target) || !slot_has(p, p->output, p->slots[p->target].size))
        return RH_ERR_BOUNDS;
    return check_learning(p, n_state / lanes);
}

int rh_check_order(const rh_job *job)
{
    int64_t chips = job->order_stride ? job->n_chips : 1, before = 0;
    for (int64_t b = 0; b < job->n_batches; b++) {
        if (job->batch_ends[b] <= before) return RH_ERR_BOUNDS;
        before = job->batch_ends[b];
    }
    if (before > job->order_length) return RH_ERR_BOUNDS;
    for (int64_t chip = 0; chip < chips; chip++)
        for (int64_t k = 0; k < before; k++)
            if (!inside(job->order[chip * job->order_stride + k], job->n_cases))
                return RH_ERR_BOUNDS;
    return RH_OK;
}

int rh_check(const rh_program *program, const rh_job *job)
{
    int status = rh_check_program(program, job->lanes, job->case_size, job->n_weights,
                                  job->n_state);
    if (status != RH_OK) return status;
    if (job->n_chips < 1 || job->n_chips > job->lanes) return RH_ERR_BOUNDS;
    return rh_check_order(job);
}
