/* Signals that ask us to stop. See stopping.h. */
#include "stopping.h"

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t i_signal;
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { N_SIGNALS = sizeof signals / sizeof *signals };
static struct sigaction before[N_SIGNALS];
static int n_noted; /* of them that have one; 0: nothing was begun */

static void note_signal(int i)
{
    i_signal = i;
}

void pk_stopping_begin(void)
{
    struct sigaction noting = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigemptyset(&noting.sa_mask);
    for (n_noted = 0; n_noted < N_SIGNALS; n_noted++) {
        const int i = n_noted;
        if (sigaction(signals[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
            (void)sigaction(signals[i], &noting, NULL);
    }
}

void pk_stopping_end(void)
{
    while (n_noted > 0) {
        n_noted--;
        (void)sigaction(signals[n_noted], &before[n_noted], NULL);
    }
}

int pk_stopping_signal(void)
{
    return i_signal;
}

void pk_stopping_obey(void)
{
    if (i_signal == 0)
        return;
    (void)fflush(NULL);
    raise(i_signal);
}
