/* Discount factors. See discount.h. */
#include "polku/discount.h"

#include "polku/elementary.h"

struct pk_discounter pk_discounter_make(const struct pk_discount *discount, const struct pk_values *values)
{
    double rate = pk_number_value(&discount->rate, values);
    return (struct pk_discounter){.force = discount->as == PK_DISCOUNT_CONTINUOUS ? rate : pk_log1p(rate),
                                  .from_years = discount->from_months / 12};
}

double pk_discounter_at(const struct pk_discounter *discounter, double years)
{
    return pk_exp(-discounter->force * (years - discounter->from_years));
}

double pk_discounter_mean(const struct pk_discounter *discounter, double from_years, double to_years)
{
    double spent = discounter->force * (to_years - from_years);
    double mean = spent == 0 ? 1 : -pk_expm1(-spent) / spent;
    return pk_discounter_at(discounter, from_years) * mean;
}
