/* Everything that is checked before a fixed-point kernel runs. */
#include "recirc_hw.h"

static int inside(int64_t index, int64_t count) { return index >= 0 && index < count; }

static int slot_has(const rh_fixed_program *p, int64_t slot, int64_t size)
{
    return inside(slot, p->n_slots) && p->slots[slot].offset >= 0 &&
           p->slots[slot].offset + p->slots[slot].size <= p->state_size &&
           p->slots[slot].size == size;
}

static int product_fits(const rh_fixed_program *p, const rh_fixed_op *op)
{
    if (!inside(op->matrix, p->n_matrices)) return 0;
    const rh_fixed_matrix *m = p->matrices + op->matrix;
    int64_t out = op->transposed ? m->cols : m->rows;
    int64_t in = op->transposed ? m->rows : m->cols;
    if (op->opcode == RH_CORRELATE)
        return slot_has(p, op->first, m->rows) && slot_has(p, op->second, m->cols);
    return slot_has(p, op->dst, out) && slot_has(p, op->first, in) && op->block > 0;
}

/* Whether a table has an entry for every index from low to high. */
static int table_fits(const rh_fixed_program *p, const rh_fixed_op *op)
{
    if (op->table < 0) return 1;
    if (!op->clips || !inside(op->table, p->n_tables)) return 0;
    int64_t size = p->table_starts[op->table + 1] - p->table_starts[op->table];
    return op->low <= 0 && op->high >= 0 && op->high - op->low < size;
}

static int check_op(const rh_fixed_program *p, const rh_fixed_op *op, int64_t case_size)
{
    if (op->function < RH_IDENTITY || op->function > RH_TANH) return RH_ERR_OPCODE;
    int64_t size = inside(op->dst, p->n_slots) ? p->slots[op->dst].size : 0;
    int fits = op->shift > -63 && op->shift < 63 && op->bias_align >= 0 && op->bias_align < 63;
    switch (op->opcode) {
    case RH_CLAMP:
        fits &= slot_has(p, op->dst, size) && op->case_offset >= 0 &&
                op->case_offset + size <= case_size;
        break;
    case RH_PROJECT: fits &= product_fits(p, op) && table_fits(p, op); break;
    case RH_CORRELATE: fits &= product_fits(p, op); break;
    case RH_COMBINE: fits &= op->shift >= 0; /* fall through */
    case RH_GATE:
        fits &= slot_has(p, op->dst, size) && slot_has(p, op->first, size) &&
                slot_has(p, op->second, size);
        break;
    case RH_WRITE: fits &= inside(op->matrix, p->n_matrices); break;
    default: return RH_ERR_OPCODE;
    }
    return fits ? RH_OK : RH_ERR_BOUNDS;
}

static int check_matrix(const rh_fixed_matrix *m, const rh_job *job)
{
    if (m->rounding < RH_FLOOR || m->rounding > RH_CARRY) return RH_ERR_OPCODE;
    int fits = m->shift >= 0 && m->shift < 63 && m->bias_shift >= 0 && m->bias_shift < 63 &&
               m->offset >= 0 && m->rows > 0 && m->cols >= 0 && m->stride >= m->rows &&
               (job->lanes > 1 || m->stride % RH_LANES == 0) &&
               m->offset + (m->cols + 1) * m->stride * job->lanes <= job->n_weights;
    return fits ? RH_OK : RH_ERR_BOUNDS;
}

int rh_fixed_check(const rh_fixed_program *p, const rh_fixed_job *f)
{
    int64_t n_ops = p->n_compute + p->n_correlate + p->n_write;
    const rh_job *job = &f->job;
    int64_t tallest = 0;
    for (int64_t k = 0; k < p->n_matrices; k++)
        tallest = p->matrices[k].rows > tallest ? p->matrices[k].rows : tallest;
    int sized = f->n_matrices == p->n_matrices && job->n_chips > 0 &&
                job->n_chips <= job->lanes &&
                (p->state_size + 2 * RH_LANES + tallest) * job->lanes <= job->n_state;
    int status = sized ? RH_OK : RH_ERR_BOUNDS;
    for (int64_t k = 0; k < n_ops && status == RH_OK; k++)
        status = check_op(p, p->ops + k, f->job.case_size);
    for (int64_t k = 0; k < p->n_matrices && status == RH_OK; k++)
        status = check_matrix(p->matrices + k, &f->job);
    if (status != RH_OK) return status;
    if (!inside(p->target, p->n_slots) || !inside(p->output, p->n_slots) ||
        p->slots[p->target].size != p->slots[p->output].size)
        return RH_ERR_BOUNDS;
    return rh_check_order(&f->job);
}
