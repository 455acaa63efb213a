/* Everything that is checked before a fixed-point kernel runs. */
#include "recirc_hw.h"

static int inside(int64_t index, int64_t count) { return index >= 0 && index < count; }

/* Whether `size` values from `offset` on end by `total`. */
static int ends_by(int64_t offset, int64_t size, int64_t total)
{
    return offset >= 0 && size >= 0 && offset <= total && size <= total - offset;
}

static int slot_has(const rh_fixed_program *p, int64_t slot, int64_t size)
{
    return inside(slot, p->n_slots) && p->slots[slot].size == size;
}

static int product_fits(const rh_fixed_program *p, const rh_fixed_op *op)
{
    if (!inside(op->matrix, p->n_matrices)) return 0;
    const rh_fixed_matrix *m = p->matrices + op->matrix;
    int64_t out = op->transposed ? m->cols : m->rows;
    int64_t in = op->transposed ? m->rows : m->cols;
    if (op->opcode == RH_CORRELATE)
        return slot_has(p, op->first, m->rows) && slot_has(p, op->second, m->cols);
    return slot_has(p, op->dst, out) && slot_has(p, op->first, in) && op->block > 0 &&
           op->block <= INT64_C(1) << 32;
}

/* Whether a table has an entry for every index from low to high. */
static int table_fits(const rh_fixed_program *p, const rh_fixed_op *op)
{
    if (op->table < 0) return 1;
    if (!op->clips || !inside(op->table, p->n_tables)) return 0;
    int64_t size = p->table_starts[op->table + 1] - p->table_starts[op->table];
    return op->low <= 0 && op->high >= 0 && op->low > -size && op->high < size + op->low;
}

/* Whether values of so many bits can be shifted as an operation says. */
static int shifts_fit(const rh_fixed_op *op, int bits)
{
    return op->shift > 1 - bits && op->shift < bits - 1 && op->bias_align >= 0 &&
           op->bias_align < bits - 1;
}

static int check_compute(const rh_fixed_program *p, const rh_fixed_op *op, int64_t case_size,
                         int bits)
{
    if (op->function < RH_IDENTITY || op->function > RH_TANH) return RH_ERR_OPCODE;
    int64_t size = inside(op->dst, p->n_slots) ? p->slots[op->dst].size : -1;
    int fits = size >= 0;
    switch (op->opcode) {
    case RH_CLAMP: fits &= ends_by(op->case_offset, size, case_size); break;
    case RH_PROJECT:
        fits &= product_fits(p, op) && table_fits(p, op) &&
                shifts_fit(op, op->wide_sums ? 64 : bits);
        break;
    case RH_COMBINE: fits &= op->shift >= 0; /* fall through */
    case RH_GATE:
        fits &= slot_has(p, op->first, size) && slot_has(p, op->second, size) &&
                shifts_fit(op, bits);
        break;
    default: return RH_ERR_OPCODE;
    }
    return fits ? RH_OK : RH_ERR_BOUNDS;
}

/* Correlates, then writes, after the operations that compute. */
static int check_learning(const rh_fixed_program *p, int bits)
{
    const rh_fixed_op *op = p->ops + p->n_compute;
    for (int64_t k = 0; k < p->n_correlate; k++, op++) {
        if (op->opcode != RH_CORRELATE) return RH_ERR_OPCODE;
        if (!product_fits(p, op) || !shifts_fit(op, bits)) return RH_ERR_BOUNDS;
    }
    for (int64_t k = 0; k < p->n_write; k++, op++) {
        if (op->opcode != RH_WRITE) return RH_ERR_OPCODE;
        if (!inside(op->matrix, p->n_matrices)) return RH_ERR_BOUNDS;
    }
    return RH_OK;
}

static int check_matrix(const rh_fixed_matrix *m, const rh_job *job, int bits)
{
    if (m->rounding < RH_FLOOR || m->rounding > RH_CARRY) return RH_ERR_OPCODE;
    int64_t room = job->n_weights / job->lanes;
    int fits = inside(m->shift, bits - 1) && inside(m->bias_shift, bits - 1) && m->rows > 0 &&
               m->stride >= m->rows && (job->lanes > 1 || m->stride % (2 * RH_LANES) == 0) &&
               m->stride <= room && inside(m->cols, room / m->stride) &&
               ends_by(m->offset, (m->cols + 1) * m->stride * job->lanes, job->n_weights);
    return fits ? RH_OK : RH_ERR_BOUNDS;
}

/* Every slot and table inside its array, and room beside the slots, as rh_fixed_job says. */
static int sizes_fit(const rh_fixed_program *p, const rh_fixed_job *f)
{
    const rh_job *job = &f->job;
    const int64_t many = job->n_weights + 1;
    if (job->lanes != 1 && job->lanes != RH_LANES) return 0;
    if (p->n_compute < 0 || p->n_correlate < 0 || p->n_write < 0) return 0;
    if (f->n_matrices != p->n_matrices || job->n_chips < 1 || job->n_chips > job->lanes)
        return 0;
    if (!inside(p->tallest, many) || !inside(p->widest, many)) return 0;
    for (int64_t k = 0; k < p->n_matrices; k++)
        if (p->matrices[k].rows > p->tallest || p->matrices[k].cols > p->widest) return 0;
    if (!ends_by(p->state_size, RH_FIXED_ROOM + 2 * (p->tallest + p->widest),
                 job->n_state / job->lanes))
        return 0;
    for (int64_t k = 0; k < p->n_slots; k++)
        if (!ends_by(p->slots[k].offset, p->slots[k].size, p->state_size)) return 0;
    for (int64_t k = 0; k < p->n_tables; k++)
        if (p->table_starts[k] < 0 || p->table_starts[k] > p->table_starts[k + 1]) return 0;
    return inside(p->target, p->n_slots) && slot_has(p, p->output, p->slots[p->target].size);
}

int rh_fixed_check(int word, const rh_fixed_program *p, const rh_fixed_job *f)
{
    const rh_job *job = &f->job;
    const int bits = word ? 64 : 32;
    if (!sizes_fit(p, f)) return RH_ERR_BOUNDS;
    int status = RH_OK;
    for (int64_t k = 0; k < p->n_matrices && status == RH_OK; k++)
        status = check_matrix(p->matrices + k, job, bits);
    for (int64_t k = 0; k < p->n_compute && status == RH_OK; k++)
        status = check_compute(p, p->ops + k, job->case_size, bits);
    if (status == RH_OK) status = check_learning(p, bits);
    return status == RH_OK ? rh_check_order(job) : status;
}
