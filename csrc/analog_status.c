/* Everything that is checked before an analog kernel runs. */
#include "recirc_hw.h"

static int inside(int64_t index, int64_t count) { return index >= 0 && index < count; }

static int group_fits(const rh_analog *a, const rh_group *g)
{
    return g->size > 0 && g->offset >= 0 && g->offset + g->size <= a->units && g->first >= 0 &&
           g->first + g->size <= a->n_units && g->function >= RH_IDENTITY &&
           g->function <= RH_TANH;
}

/* A slot of the program must be the segment's part that belongs to the group. */
static int slot_is(const rh_analog *a, int64_t slot, int segment, int64_t group)
{
    if (!inside(slot, a->program->n_slots)) return 0;
    const rh_slot *s = a->program->slots + slot;
    const rh_group *g = a->groups + group;
    return s->offset == segment * a->units + g->offset && s->size == g->size;
}

static int matrix_fits(const rh_analog *a, int64_t k)
{
    const rh_program *p = a->program;
    if (!inside(a->source[k], a->n_groups) || !inside(a->to[k], a->n_groups)) return 0;
    const rh_op *project = p->ops + k, *correlate = p->ops + p->n_compute + k;
    return project->opcode == RH_PROJECT && !project->transposed &&
           project->function == RH_IDENTITY && project->matrix == k && correlate->matrix == k &&
           slot_is(a, project->first, RH_SENT, a->source[k]) &&
           slot_is(a, project->dst, RH_TARGET, a->to[k]) &&
           slot_is(a, correlate->first, RH_POST, a->to[k]) &&
           slot_is(a, correlate->second, RH_PRE, a->source[k]);
}

static int phases_fit(const rh_analog *a, const rh_analog_job *j)
{
    int64_t moments = 1;
    for (int64_t f = 0; f < a->n_phases; f++) {
        if (a->phases[f].steps < 1 || a->phases[f].lag < 0) return 0;
        if (a->phases[f].lag && !j->past) return 0;
        moments += a->phases[f].steps;
    }
    return !j->past || j->n_past >= moments * a->units * j->job.lanes * j->cases;
}

int rh_analog_check(const rh_analog *a, const rh_analog_job *j)
{
    const rh_program *p = a->program;
    const rh_job *job = &j->job;
    if (a->n_groups < 1 || a->n_phases < 1 || a->units < 1 || job->lanes < 1) return RH_ERR_BOUNDS;
    int status = rh_check_program(p, job->lanes, job->case_size, job->n_weights, job->n_state);
    if (status != RH_OK) return status;
    if (p->n_compute != p->n_matrices || p->n_correlate != p->n_matrices || p->n_write)
        return RH_ERR_BOUNDS;
    for (int64_t g = 0; g < a->n_groups; g++)
        if (!group_fits(a, a->groups + g)) return RH_ERR_BOUNDS;
    for (int64_t k = 0; k < p->n_matrices; k++)
        if (!matrix_fits(a, k)) return RH_ERR_BOUNDS;
    int coded = a->dac_bits >= 0 && a->dac_bits <= 24 && a->adc_bits >= 0 && a->adc_bits <= 24;
    int64_t visible = a->groups[0].size, chips = job->n_chips;
    if (!coded || chips < 1 || chips > job->lanes || job->case_size != visible)
        return RH_ERR_BOUNDS;
    int alone = job->lanes == 1 && !j->shares;
    if (j->cases != 1 && !(j->cases == RH_CASES && alone)) return RH_ERR_BOUNDS;
    if (job->n_state < (RH_ANALOG_SEGMENTS + 1) * a->units * job->lanes * j->cases)
        return RH_ERR_BOUNDS;
    if (j->n_constants < RH_ANALOG_CONSTANTS * a->units * job->lanes) return RH_ERR_BOUNDS;
    if (j->n_values < chips * j->count * (a->n_units + visible)) return RH_ERR_BOUNDS;
    if ((j->shares && !(j->base && j->before)) ||
        (a->integrator == RH_RUNGE_KUTTA && j->learning && !(j->rates && j->before)))
        return RH_ERR_BOUNDS;
    if (!phases_fit(a, j) || j->count < 1 || j->count > job->order_length) return RH_ERR_BOUNDS;
    return rh_check_order(job);
}
