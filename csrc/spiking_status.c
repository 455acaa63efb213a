/* What is checked before a spiking chip runs. */
#include "recirc_hw.h"

static int population_fits(const rh_spiking *p, const rh_population *pop, int64_t first)
{
    return pop->units > 0 && pop->first == first && pop->units <= p->n_units - first;
}

static int projection_fits(const rh_spiking *p, const rh_projection *way, int64_t n_weights)
{
    if (way->source < 0 || way->source >= p->n_populations) return 0;
    if (way->target < 0 || way->target >= p->n_populations) return 0;
    int64_t rows = p->populations[way->target].units;
    int64_t columns = p->populations[way->source].units + 1;
    if (way->offset < 0 || way->offset > n_weights || way->rebase < 1) return 0;
    return columns <= (n_weights - way->offset) / rows;
}

int rh_spiking_check(const rh_spiking *p, const rh_stretch *s)
{
    if (p->n_populations < 1 || p->n_projections < 0 || p->neurons < 1) return RH_ERR_BOUNDS;
    if (p->n_units < 1 || p->n_neurons / p->neurons != p->n_units || p->refractory < 1)
        return RH_ERR_BOUNDS;
    if (p->neuron < RH_ESCAPE || p->neuron > RH_NOISY_THRESHOLD) return RH_ERR_OPCODE;
    if (p->plasticity < RH_TRACE_DIFFERENCE || p->plasticity > RH_TWO_PHASE_HEBB)
        return RH_ERR_OPCODE;
    int64_t first = 0;
    for (int64_t g = 0; g < p->n_populations; first += p->populations[g].units, g++)
        if (!population_fits(p, p->populations + g, first)) return RH_ERR_BOUNDS;
    if (first != p->n_units) return RH_ERR_BOUNDS;
    for (int64_t k = 0; k < p->n_projections; k++)
        if (!projection_fits(p, p->projections + k, s->n_weights)) return RH_ERR_BOUNDS;
    return s->steps < 0 || s->moment < 0 || s->drawn_steps < 1 ? RH_ERR_BOUNDS : RH_OK;
}
