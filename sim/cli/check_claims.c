/* polku check of a claims file: what is printed, and which figures stand beside it. See cli.h. */
#include <stdio.h>

#include "cli.h"
#include "polku/claims.h"

static void print_figure(const struct pk_claims *claims, const struct pk_claim_figure *figure)
{
    printf("%s of %s", figure->outcome, figure->arm);
    if (figure->against != NULL)
        printf(" less %s", figure->against);
    printf(" in %s", claims->scenarios[figure->i_scenario].file);
    if (figure->times < 1 || figure->times > 1)
        printf(", times %.10g", figure->times);
}

static void print_claim(const struct pk_claims *claims, const struct pk_claim *claim)
{
    printf("  %-30s printed %.10g %s: %s\n      %s: %s\n", claim->name, claim->printed, claim->unit, claim->says.in[2],
           pk_source_names[claim->source.kind], claim->source.text);
    if (claim->source.caveat != NULL)
        printf("      the source warns: %s\n", claim->source.caveat);
    printf("      assumes: %s\n      static: ", claim->assumes);
    print_figure(claims, &claim->reconstruction);
    printf(", gives %.10g%s%s\n", claim->gives, claim->gap != NULL ? ": " : "", claim->gap != NULL ? claim->gap : "");
    for (size_t i = 0; i < claim->n_dynamic; i++) {
        const char *label = claim->dynamic[i].label.in[2];
        printf("      dynamic: %s%s", label, label[0] != '\0' ? ": " : "");
        print_figure(claims, &claim->dynamic[i]);
        printf("\n");
    }
    if (claim->no_dynamic != NULL)
        printf("      no dynamic figure: %s\n", claim->no_dynamic);
    if (claim->inconsistent != NULL)
        printf("      contradicted: %s\n", claim->inconsistent);
}

enum pk_status pk_cli_check_claims(const char *path, bool quiet, struct pk_problems *problems)
{
    struct pk_claims claims;
    const enum pk_status status = pk_load_claims(path, &pk_cli_load_options, &claims, problems);
    if (status != PK_OK)
        return status;
    if (!quiet) {
        printf("%s: claims %s, %zu of them, with figures of %zu scenarios: %s\n", path, claims.name, claims.n_claims,
               claims.n_scenarios, claims.title);
        for (size_t i = 0; i < claims.n_claims; i++)
            print_claim(&claims, &claims.claims[i]);
        printf("  to be reconstructed by polku claims %s\n", path);
    }
    pk_claims_free(&claims);
    return PK_OK;
}
