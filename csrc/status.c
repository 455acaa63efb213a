/* Everything that is checked before a kernel runs. */
#include "recirc_hw.h"

static int inside(int64_t index, int64_t count) { return index >= 0 && index < count; }

static int slot_fits(const rh_program *p, int64_t slot)
{
    if (!inside(slot, p->n_slots)) return 0;
    const rh_slot *s = p->slots + slot;
    return s->offset >= 0 && s->size >= 0 && s->stride >= 0 &&
           s->offset + (p->rows - 1) * s->stride + s->size <= p->state_size;
}

static int slot_has(const rh_program *p, int64_t slot, int64_t size)
{
    return slot_fits(p, slot) && p->slots[slot].size == size;
}

static int product_fits(const rh_program *p, const rh_op *op)
{
    if (!inside(op->matrix, p->n_matrices)) return 0;
    const rh_matrix *m = p->matrices + op->matrix;
    int64_t out = op->transposed ? m->cols : m->rows;
    int64_t in = op->transposed ? m->rows : m->cols;
    if (op->opcode == RH_CORRELATE)
        return slot_has(p, op->first, m->rows) && slot_has(p, op->second, m->cols);
    return slot_has(p, op->dst, out) && slot_has(p, op->first, in);
}

static int elementwise_fits(const rh_program *p, const rh_op *op)
{
    if (!slot_fits(p, op->dst)) return 0;
    int64_t size = p->slots[op->dst].size;
    return slot_has(p, op->first, size) && slot_has(p, op->second, size);
}

static int check_op(const rh_program *p, const rh_op *op, int64_t case_size)
{
    if (op->function < RH_IDENTITY || op->function > RH_TANH) return RH_ERR_OPCODE;
    int fits = 0;
    switch (op->opcode) {
    case RH_CLAMP:
        fits = slot_fits(p, op->dst) && op->case_offset >= 0 &&
               op->case_offset + p->slots[op->dst].size <= case_size;
        break;
    case RH_PROJECT:
    case RH_CORRELATE: fits = product_fits(p, op); break;
    case RH_COMBINE:
    case RH_GATE: fits = elementwise_fits(p, op); break;
    case RH_WRITE: fits = inside(op->matrix, p->n_matrices); break;
    default: return RH_ERR_OPCODE;
    }
    return fits ? RH_OK : RH_ERR_BOUNDS;
}

int rh_check_order(int64_t rows, const rh_job *job)
{
    int64_t chips = job->order_stride ? job->n_chips : 1, before = 0;
    for (int64_t b = 0; b < job->n_batches; b++) {
        if (job->batch_ends[b] <= before) return RH_ERR_BOUNDS;
        if (rows > 1 && job->batch_ends[b] - before > rows) return RH_ERR_BOUNDS;
        before = job->batch_ends[b];
    }
    for (int64_t chip = 0; chip < chips; chip++)
        for (int64_t k = 0; k < before; k++)
            if (!inside(job->order[chip * job->order_stride + k], job->n_cases))
                return RH_ERR_BOUNDS;
    return RH_OK;
}

int rh_check(const rh_program *program, const rh_job *job)
{
    int64_t n_ops = program->n_compute + program->n_correlate + program->n_write;
    for (int64_t k = 0; k < n_ops; k++) {
        int status = check_op(program, program->ops + k, job->case_size);
        if (status != RH_OK) return status;
    }
    if (!slot_fits(program, program->target) ||
        !slot_has(program, program->output, program->slots[program->target].size))
        return RH_ERR_BOUNDS;
    return rh_check_order(program->rows, job);
}
